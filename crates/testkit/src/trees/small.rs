//! Small trees: one folder, a handful of files.

use super::{Put, fill, list};

const TINY: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  color: blue
";

/// What an application consists of, one kind after the other.
const KINDS: &[(&str, &str)] = &[
    (
        "deployment",
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app}
  labels:
    app.kubernetes.io/name: {app}
spec:
  replicas: 2
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {app}
      annotations:
        prometheus.io/scrape: \"true\"
        prometheus.io/port: \"9797\"
    spec:
      serviceAccountName: {app}
      securityContext:
        runAsNonRoot: true
      containers:
        - name: {app}
          image: ghcr.io/example/{app}:6.7.1
          imagePullPolicy: IfNotPresent
          command: [./{app}, --port=9898, --port-metrics=9797, --level=info]
          ports:
            - name: http
              containerPort: 9898
              protocol: TCP
            - name: metrics
              containerPort: 9797
              protocol: TCP
          envFrom:
            - configMapRef:
                name: {app}
          env:
            - name: COLOR
              value: \"#34577c\"
            - name: TOKEN
              valueFrom:
                secretKeyRef:
                  name: {app}
                  key: token
          livenessProbe:
            exec:
              command: [podcli, check, http, \"localhost:9898/healthz\"]
            initialDelaySeconds: 5
            timeoutSeconds: 5
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
          resources:
            requests: {cpu: 100m, memory: 64Mi}
            limits: {cpu: \"2\", memory: 512Mi}
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: {app}
",
    ),
    (
        "service",
        "\
apiVersion: v1
kind: Service
metadata:
  name: {app}
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: {app}
  ports:
    - name: http
      port: 9898
      protocol: TCP
      targetPort: http
",
    ),
    (
        "account",
        "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {app}
automountServiceAccountToken: false
",
    ),
    (
        "settings",
        "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {app}
data:
  LEVEL: info
  CACHE: tcp://cache:6379
  RETRIES: \"3\"
  {app}.conf: |
    listen 0.0.0.0:9898;
    # limits
    body_max 4m;
    timeout 30s;
",
    ),
    (
        "secret",
        "\
apiVersion: v1
kind: Secret
metadata:
  name: {app}
type: Opaque
stringData:
  token: change-me
",
    ),
    (
        "ingress",
        "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {app}
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  ingressClassName: nginx
  tls:
    - hosts: [{app}.example.com]
      secretName: {app}-tls
  rules:
    - host: {app}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {app}
                port:
                  name: http
",
    ),
    (
        "autoscaler",
        "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {app}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {app}
  minReplicas: 2
  maxReplicas: 4
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 99
",
    ),
    (
        "budget",
        "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {app}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
",
    ),
    (
        "role",
        "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {app}
rules:
  - apiGroups: [\"\"]
    resources: [configmaps, secrets]
    resourceNames: [{app}]
    verbs: [get, list, watch]
",
    ),
    (
        "binding",
        "\
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
",
    ),
    (
        "claim",
        "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {app}
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 8Gi
",
    ),
    (
        "policy",
        "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {app}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {app}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
      ports:
        - port: http
",
    ),
];

const APPS: &[&str] = &["frontend", "backend", "cache", "mailer"];

const KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
commonAnnotations:
  example.com/contact: shop@example.com
images:
  - name: ghcr.io/example/frontend
    newTag: 6.8.0
patches:
  - path: patch.yaml
resources:
{resources}";

const PATCH: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: frontend
spec:
  replicas: 5
  template:
    spec:
      containers:
        - name: frontend
          env:
            - name: COLOR
              value: \"#ff0000\"
          resources:
            limits:
              memory: 1Gi
        - name: exporter
          image: ghcr.io/example/exporter:0.3.0
      tolerations:
        - key: dedicated
          operator: Exists
";

pub(super) fn tiny(put: Put<'_>) {
    put("settings.yaml", TINY);
    put("kustomization.yaml", "resources:\n  - settings.yaml\n");
}

pub(super) fn files(objects: usize, put: Put<'_>) {
    let most = APPS.len() * KINDS.len();
    assert!(objects <= most, "there are {most} objects");
    let all = APPS
        .iter()
        .flat_map(|app| KINDS.iter().map(move |kind| (app, kind)));
    let mut names = Vec::new();
    for (app, (kind, template)) in all.take(objects) {
        let name = format!("{app}-{kind}.yaml");
        put(&name, &fill(template, &[("app", app)]));
        names.push(name);
    }
    put("patch.yaml", PATCH);
    let resources = [("resources", list(names))];
    let resources = resources
        .each_ref()
        .map(|(name, text)| (*name, text.as_str()));
    put("kustomization.yaml", &fill(KUSTOMIZATION, &resources));
}
