//! What the files of the fleet say; `{name}` is filled in.

// Platform.

pub(super) const PLATFORM_LABELS: &str = "\
labels:
  - pairs:
      app.kubernetes.io/managed-by: platform
";

pub(super) const CONTROLLER_KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {name}-system
namePrefix: {name}-
resources:
{resources}configMapGenerator:
  - name: controller
    envs:
      - controller.env
labels:
  - pairs:
      app.kubernetes.io/name: {name}
    includeSelectors: true
    fields:
      - path: spec/template/metadata/labels
        create: true
        kind: DaemonSet
";

pub(super) const CONTROLLER_SETTINGS: &str = "\
# read at start
CONTROLLER_NAME={name}
LOG_LEVEL=info
LOG_FORMAT=json
WORKERS=4
";

pub(super) const CONTROLLER: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: {name}-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: controller
spec:
  replicas: 1
  selector:
    matchLabels: {}
  strategy:
    type: Recreate
  template:
    metadata:
      annotations:
        kubectl.kubernetes.io/default-container: manager
    spec:
      serviceAccountName: controller
      priorityClassName: platform
      containers:
        - name: manager
          image: registry.example.com/platform/{name}:v1.12.0
          args:
            - --leader-elect
            - --metrics-bind-address=:8080
          envFrom:
            - configMapRef:
                name: controller
          env:
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: CLUSTER
              value: unknown
          ports:
            - name: metrics
              containerPort: 8080
            - name: webhook
              containerPort: 9443
          livenessProbe:
            httpGet: {path: /healthz, port: 8081}
            initialDelaySeconds: 15
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
          volumeMounts:
            - name: certificate
              mountPath: /tmp/serving-certs
              readOnly: true
      volumes:
        - name: certificate
          secret:
            secretName: webhook-certificate
            defaultMode: 0420
      terminationGracePeriodSeconds: 10
---
apiVersion: v1
kind: Service
metadata:
  name: webhook
spec:
  ports:
    - port: 443
      protocol: TCP
      targetPort: webhook
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: validation
webhooks:
  - name: validation.{name}.example.com
    admissionReviewVersions: [v1]
    clientConfig:
      service:
        name: webhook
        namespace: {name}-system
        path: /validate
    failurePolicy: Fail
    rules:
      - apiGroups: [\"{name}.example.com\"]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [\"*\"]
    sideEffects: None
";

pub(super) const CONTROLLER_RBAC: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: controller
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: controller
rules:
  - apiGroups: [\"\", {name}.example.com]
    resources: [{resources}]
    verbs: [\"*\"]
  - nonResourceURLs: [/metrics]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: controller
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: controller
subjects:
  - kind: ServiceAccount
    name: controller
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: leader-election
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: leader-election
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: leader-election
subjects:
  - kind: ServiceAccount
    name: controller
";

pub(super) const ISSUERS: &str = "\
apiVersion: certificates.example.com/v1
kind: Issuer
metadata:
  name: internal
spec:
  target: {name: webhook-certificate}
  selector: {}
  interval: 24h
---
apiVersion: certificates.example.com/v1
kind: Issuer
metadata:
  name: public
  annotations:
    example.com/directory: \"https://acme.example.com/directory\"
spec:
  target: {name: public}
  selector:
    matchLabels:
      exposure: public
  interval: 720h
";

pub(super) const PLATFORM_RULES: &str = "\
apiVersion: metrics.example.com/v1
kind: AlertRule
metadata:
  name: nodes
spec:
  target: {name: nodes}
  selector: {}
  level: warn
  items:
    - name: NodeNotReady
      value: kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 0
    - name: NodeDiskFull
      value: |
        node_filesystem_avail_bytes{mountpoint=\"/\"}
          / node_filesystem_size_bytes{mountpoint=\"/\"} < 0.1
    - name: NodeClockWrong
      value: 'abs(node_timex_offset_seconds) > 0.05'
---
apiVersion: metrics.example.com/v1
kind: AlertRule
metadata:
  name: certificates
spec:
  target: {name: certificates}
  selector:
    matchLabels: {app.kubernetes.io/name: certificates}
  level: error
  items:
    - name: CertificateExpires
      value: certificate_expiry_seconds - time() < 7 * 24 * 3600
";

pub(super) const INGRESS_CLASS: &str = "\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: public
  annotations:
    ingressclass.kubernetes.io/is-default-class: \"true\"
spec:
  controller: gateway.example.com/controller
---
apiVersion: v1
kind: Service
metadata:
  name: entry
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  ports:
    - {name: http, port: 80, targetPort: 8000}
    - {name: https, port: 443, targetPort: 8443}
";

pub(super) const LOG_PIPELINE: &str = "\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: collector
spec:
  selector:
    matchLabels:
      part: collector
  template:
    metadata:
      labels:
        part: collector
    spec:
      serviceAccountName: controller
      tolerations:
        - operator: Exists
      containers:
        - name: collector
          image: registry.example.com/platform/collector:2.4
          args: [\"--config=/etc/collector/collector.yaml\"]
          volumeMounts:
            - {name: config, mountPath: /etc/collector}
            - {name: logs, mountPath: /var/log, readOnly: true}
      volumes:
        - name: config
          configMap:
            name: pipeline
        - name: logs
          hostPath:
            path: /var/log
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: pipeline
data:
  collector.yaml: |
    sources:
      - type: file
        include: /var/log/pods/*/*/*.log
    transforms:
      - drop: '.level == \"debug\"'
    sinks:
      - type: http
        address: https://logs.example.com/in
        buffer: 64Mi
";

pub(super) const BACKUP_PLANS: &str = "\
apiVersion: backup.example.com/v1
kind: BackupPlan
metadata:
  name: nightly
spec:
  target: {name: volumes}
  selector:
    matchExpressions:
      - {key: backup, operator: In, values: [nightly, weekly]}
  interval: 24h
---
apiVersion: backup.example.com/v1
kind: BackupPlan
metadata:
  name: weekly
spec:
  target: {name: volumes}
  selector:
    matchLabels: {backup: weekly}
  interval: 168h
";

pub(super) const STORAGE: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: fast
provisioner: csi.example.com
parameters:
  type: ssd
reclaimPolicy: Delete
allowVolumeExpansion: true
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: bulk
provisioner: csi.example.com
parameters: {type: hdd}
reclaimPolicy: Retain
";

pub(super) const PEOPLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: on-call
rules:
  - apiGroups: [\"\"]
    resources: [pods, pods/log, nodes, events]
    verbs: [get, list, watch]
  - apiGroups: [\"\"]
    resources: [pods]
    verbs: [delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: on-call
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: on-call
subjects:
  - kind: Group
    name: on-call@example.com
    apiGroup: rbac.authorization.k8s.io
";

pub(super) const PRIORITIES: &str = "\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: platform
value: 1000000
description: Controllers that everything else waits for.
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: business
value: 100000
globalDefault: true
description: 'What the company lives on: everything that teams run.'
";

// Teams and applications.

pub(super) const TEAM: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {team}
namePrefix: {prefix}
resources:
  - team.yaml
{apps}labels:
  - pairs:
      team: {team}
    includeTemplates: true
commonAnnotations:
  example.com/contact: \"{team}@example.com\"
";

pub(super) const TEAM_OBJECTS: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: {team}
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: quota
spec:
  hard:
    requests.cpu: 8
    requests.memory: 32Gi
    pods: \"100\"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: developers
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: edit
subjects:
  - kind: Group
    name: {team}@example.com
    apiGroup: rbac.authorization.k8s.io
";

pub(super) const APP: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - workload.yaml
  - service.yaml
  - rbac.yaml
configMapGenerator:
  - name: {app}-settings
    envs:
      - settings.env
    literals:
      - OWNER={team}
{secret}labels:
  - pairs:
      app.kubernetes.io/name: {app}
      exposure: {exposure}
    includeSelectors: true
";

pub(super) const APP_SECRET: &str = "\
secretGenerator:
  - name: {app}-credentials
    envs:
      - credentials.env
";

pub(super) const APP_FROM_SECRET: &str = "            - secretRef:
                name: {app}-credentials
";

pub(super) const APP_CREDENTIALS: &str = "\
USER={team}
PASSWORD=not-a-secret-{app}
";

pub(super) const APP_SETTINGS: &str = "\
LISTEN=0.0.0.0:{port}
LOG_LEVEL=info
CACHE_TTL=5m
FEATURES=basket,checkout,wishlist
UPSTREAM=http://{app}.{team}.svc.cluster.local:{port}
";

pub(super) const APP_WORKLOAD: &str = "\
apiVersion: apps/v1
kind: {kind}
metadata:
  name: {app}
spec:
  replicas: 1
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
{extra}  template:
    metadata:
      labels:
        app.kubernetes.io/name: {app}
    spec:
      serviceAccountName: {app}
      containers:
        - name: main
          image: registry.example.com/{team}/{app}:1.0.0
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: {port}
          envFrom:
            - configMapRef:
                name: {app}-settings
{from_secret}          env:
            - name: CLUSTER
              value: unknown
            - name: REGION
              value: unknown
            - name: GOMAXPROCS
              valueFrom:
                resourceFieldRef:
                  resource: limits.cpu
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              cpu: \"1\"
              memory: 512Mi
          volumeMounts:
            - name: data
              mountPath: /data
";

pub(super) const APP_STATELESS: &str = "  strategy:
    rollingUpdate:
      maxUnavailable: 25%
";

pub(super) const APP_STATEFUL: &str = "  serviceName: {app}
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          backup: nightly
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: fast
        resources:
          requests:
            storage: 20Gi
";

pub(super) const APP_SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: {app}
spec:
  selector:
    app.kubernetes.io/name: {app}
  ports:
    - name: http
      port: 80
      targetPort: http
";

pub(super) const APP_RBAC: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {app}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {app}
rules:
  - apiGroups: [\"\"]
    resources: [configmaps]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {app}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {app}
subjects:
  - kind: ServiceAccount
    name: {app}
";

// Components.

pub(super) const MONITORING: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - alerts.yaml
patches:
  - path: scrape.yaml
    target:
      labelSelector: team
      kind: Deployment|StatefulSet
  - target:
      kind: Service
      labelSelector: team
    patch: |-
      - op: add
        path: /spec/ports/-
        value:
          name: metrics
          port: 9090
          targetPort: metrics
";

pub(super) const SCRAPE_PATCH: &str = "\
apiVersion: apps/v1
kind: Workload
metadata:
  name: any
spec:
  template:
    metadata:
      annotations:
        prometheus.io/scrape: \"true\"
        prometheus.io/port: \"9090\"
    spec:
      containers:
        - name: exporter
          image: registry.example.com/platform/exporter:0.9
          ports:
            - name: metrics
              containerPort: 9090
";

pub(super) const ALERTS: &str = "\
apiVersion: metrics.example.com/v1
kind: AlertRule
metadata:
  name: payments
  namespace: payments
spec:
  target: {name: pay-api}
  selector: {matchLabels: {team: payments}}
  level: error
  items:
    - name: PaymentsFail
      value: rate(payments_failed_total[5m]) / rate(payments_total[5m]) > 0.01
    - name: LedgerBehind
      value: ledger_lag_seconds > 30
---
apiVersion: metrics.example.com/v1
kind: AlertRule
metadata:
  name: shop
  namespace: shop
spec:
  target: {name: shop-web}
  selector: {matchLabels: {team: shop}}
  level: warn
  items:
    - name: ShopSlow
      value: histogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket{team=\"shop\"}[5m]))) > 1
---
apiVersion: metrics.example.com/v1
kind: Monitor
metadata:
  name: teams
  namespace: metrics-system
spec:
  target: {name: metrics}
  selector:
    matchExpressions:
      - {key: team, operator: Exists}
  interval: 30s
";

pub(super) const INGRESS: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - hosts.yaml
";

pub(super) const HOSTS: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    gateway.example.com/rate-limit: \"100\"
spec:
  ingressClassName: gateway-public
  tls:
    - hosts: [shop.CLUSTER.example.com]
      secretName: shop-tls
  rules:
    - host: shop.CLUSTER.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop-web, port: {name: http}}}
          - path: /search
            pathType: Prefix
            backend: {service: {name: shop-search, port: {name: http}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: payments
  namespace: payments
spec:
  ingressClassName: gateway-public
  tls:
    - hosts: [pay.CLUSTER.example.com]
      secretName: payments-tls
  rules:
    - host: pay.CLUSTER.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: pay-api, port: {name: http}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: login
  namespace: identity
spec:
  ingressClassName: gateway-public
  tls:
    - hosts: [login.CLUSTER.example.com]
      secretName: login-tls
  rules:
    - host: login.CLUSTER.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: id-login, port: {name: http}}}
---
apiVersion: certificates.example.com/v1
kind: Certificate
metadata:
  name: wildcard
  namespace: gateway-system
spec:
  target: {name: certificates-public}
  selector: {}
  labels:
    host: all.CLUSTER.example.com
";

pub(super) const HARDENING: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - isolation.yaml
patches:
  - path: containers.yaml
    target:
      group: apps
      kind: Deployment|StatefulSet
      labelSelector: team
  - target:
      kind: ServiceAccount
      labelSelector: team
    patch: |-
      - {op: add, path: /automountServiceAccountToken, value: false}
";

pub(super) const HARDENED: &str = "\
apiVersion: apps/v1
kind: Workload
metadata:
  name: any
spec:
  template:
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: main
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
";

pub(super) const ISOLATION: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny-by-default
  namespace: payments
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny-by-default
  namespace: identity
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: from-gateway
  namespace: payments
spec:
  podSelector:
    matchLabels:
      exposure: public
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: gateway-system
      ports:
        - {port: http, protocol: TCP}
---
apiVersion: policy.example.com/v1
kind: Exemptions
metadata:
  name: none
  namespace: payments
spec: {exempt: []}
";

pub(super) const AUTOSCALING: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - scalers.yaml
  - budgets.yaml
";

pub(super) const AUTOSCALER: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {prefix}{app}
  namespace: {team}
  labels:
    team: {team}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {prefix}{app}
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: 75}
";

pub(super) const BUDGET: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {prefix}{app}
  namespace: {team}
  labels:
    team: {team}
spec:
  minAvailable: 50%
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
";

pub(super) const AVAILABILITY: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - path: spread.yaml
    target:
      kind: Deployment
replicas:
  - name: pay-ledger
    count: 3
  - name: shop-search
    count: 3
  - name: data-warehouse
    count: 2
";

pub(super) const SPREAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: any
spec:
  template:
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchExpressions:
                    - key: app.kubernetes.io/name
                      operator: Exists
";

pub(super) const BACKUPS: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - jobs.yaml
configMapGenerator:
  - name: backup-script
    namespace: data
    literals:
      - backup.sh=pg_dump --format=custom \"$DATABASE\" > /backup/dump
secretGenerator:
  - name: backup-key
    namespace: data
    type: Opaque
    literals:
      - key=not-a-secret
";

pub(super) const BACKUP_JOBS: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: warehouse-backup
  namespace: data
spec:
  schedule: 30 2 * * *
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: registry.example.com/platform/dump:16
              command: [sh, /scripts/backup.sh]
              env:
                - name: CLUSTER
                  value: unknown
                - name: KEY
                  valueFrom:
                    secretKeyRef: {name: backup-key, key: key}
              volumeMounts:
                - {name: scripts, mountPath: /scripts}
          volumes:
            - name: scripts
              configMap:
                name: backup-script
";

pub(super) const MIRROR: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
  - name: registry.example.com/platform/exporter
    newName: mirror.internal/platform/exporter
  - name: registry.example.com/platform/collector
    newName: mirror.internal/platform/collector
    digest: sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
patches:
  - target:
      kind: ServiceAccount
    patch: |-
      apiVersion: v1
      kind: ServiceAccount
      metadata:
        name: any
      imagePullSecrets:
        - name: mirror
";

pub(super) const DEBUG: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - tools.yaml
patches:
  - target:
      kind: Deployment
      namespace: shop
    patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: any
      spec:
        template:
          spec:
            containers:
              - name: main
                livenessProbe: null
                env:
                  - name: LOG_LEVEL
                    value: debug
";

pub(super) const TOOLS: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: toolbox
  namespace: shop
spec:
  containers:
    - name: toolbox
      image: registry.example.com/platform/toolbox
      command: [sleep, infinity]
      stdin: true
      tty: true
";

// Regions, environments, clusters.

pub(super) const REGION: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - storage.yaml
configMapGenerator:
  - name: region
    namespace: default
    envs:
      - region.env
    options:
      disableNameSuffixHash: true
      labels:
        region: {region}
replacements:
  - source:
      kind: ConfigMap
      name: region
      fieldPath: data.REGION
    targets:
      - select:
          kind: Deployment
          labelSelector: team
        fieldPaths:
          - spec.template.spec.containers.[name=main].env.[name=REGION].value
      - select:
          kind: StatefulSet
        fieldPaths:
          - spec.template.spec.containers.[name=main].env.[name=REGION].value
";

pub(super) const REGION_SETTINGS: &str = "\
REGION={region}
ZONES={zones}
PROVIDER={provider}
";

pub(super) const REGION_STORAGE: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: replicated
provisioner: csi.example.com
parameters:
  type: ssd
  replicas: \"3\"
allowedTopologies:
  - matchLabelExpressions:
      - key: topology.kubernetes.io/region
        values: [{region}]
";

/// The environments: name, components, kustomization.
pub(super) const ENVIRONMENTS: &[(&str, &[&str], &str)] = &[
    ("development", &["ingress", "debug"], ENVIRONMENT),
    (
        "staging",
        &["monitoring", "ingress", "hardening", "autoscaling"],
        ENVIRONMENT,
    ),
    (
        "production",
        &[
            "monitoring",
            "ingress",
            "hardening",
            "autoscaling",
            "availability",
            "backups",
            "mirror",
        ],
        PRODUCTION,
    ),
];

const ENVIRONMENT: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{resources}  - limits.yaml
components:
{components}configMapGenerator:
  - name: shop-web-settings
    namespace: shop
    behavior: merge
    envs:
      - settings.env
labels:
  - pairs:
      environment: {environment}
images:
  - name: registry.example.com/shop/web
    newTag: 2.0.0-rc.1
  - name: registry.example.com/payments/api
    newTag: 1.1.0-rc.4
generatorOptions:
  annotations:
    example.com/generated: \"true\"
";

const PRODUCTION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{resources}  - limits.yaml
components:
{components}configMapGenerator:
  - name: shop-web-settings
    namespace: shop
    behavior: merge
    envs:
      - settings.env
  - name: pay-api-settings
    namespace: payments
    behavior: replace
    literals:
      - LISTEN=0.0.0.0:8080
      - LOG_LEVEL=warn
labels:
  - pairs:
      environment: {environment}
images:
  - name: registry.example.com/shop/web
    newTag: 1.9.3
  - name: registry.example.com/shop/catalog
    newTag: 1.4.0
  - name: registry.example.com/identity/login
    digest: sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: pay-api
        namespace: payments
      spec:
        template:
          spec:
            containers:
              - name: main
                resources:
                  limits:
                    cpu: \"4\"
                    memory: 2Gi
  - target:
      kind: ResourceQuota
    patch: |-
      - op: replace
        path: /spec/hard/pods
        value: \"500\"
";

pub(super) const ENVIRONMENT_SETTINGS: &str = "\
ENVIRONMENT={environment}
LOG_LEVEL=debug
BANNER=this is {environment}
";

pub(super) const ENVIRONMENT_LIMITS: &str = "\
apiVersion: v1
kind: LimitRange
metadata:
  name: {environment}
  namespace: shop
spec:
  limits:
    - type: Container
      default: {cpu: 500m, memory: 256Mi}
      defaultRequest: {cpu: 50m, memory: 64Mi}
---
apiVersion: v1
kind: LimitRange
metadata:
  name: {environment}
  namespace: data
spec:
  limits:
    - type: PersistentVolumeClaim
      max: {storage: 500Gi}
";

pub(super) const CLUSTER: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../environments/{environment}
  - identity.yaml
components:
  - ../../regions/{region}
commonAnnotations:
  example.com/cluster: {cluster}
patches:
  - path: capacity.yaml
  - target:
      kind: PriorityClass
      name: business
    patch: |-
      - op: replace
        path: /globalDefault
        value: false
replacements:
  - source:
      kind: ConfigMap
      name: cluster
      namespace: default
      fieldPath: data.name
    targets:
      - select:
          group: apps
          labelSelector: team
        fieldPaths:
          - spec.template.spec.containers.[name=main].env.[name=CLUSTER].value
      - select:
          kind: Deployment
          labelSelector: app.kubernetes.io/managed-by=platform
        fieldPaths:
          - spec.template.spec.containers.[name=manager].env.[name=CLUSTER].value
      - select:
          kind: Ingress
        fieldPaths:
          - spec.rules.*.host
          - spec.tls.*.hosts.*
        options:
          delimiter: .
          index: 1
      - select:
          kind: Certificate
        fieldPaths:
          - spec.labels.host
        options:
          delimiter: .
          index: 1
";

pub(super) const IDENTITY: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: cluster
  namespace: default
data:
  name: {cluster}
  environment: {environment}
  region: {region}
";

pub(super) const CAPACITY: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-web
  namespace: shop
spec:
  replicas: {replicas}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: gateway-controller
  namespace: gateway-system
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - name: manager
          resources:
            limits:
              memory: 1Gi
";
