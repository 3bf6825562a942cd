//! Twelve clusters, as a platform team would keep them in one repository.
//!
//! ```text
//! platform/NAME      what every cluster needs: operators with definitions, RBAC, storage, policies
//! apps/TEAM/NAME     the applications of four teams; a team has a namespace, a prefix, quotas
//! components/NAME    features: monitoring, ingress, hardening, autoscaling, …
//! regions/NAME       components with what differs by region
//! environments/NAME  platform and teams with the features, images and settings of a stage
//! clusters/NAME      an environment in a region, with settings, patches and replacements
//! ```

mod texts;

use super::{Put, definitions, fill, list};

/// The folders below `clusters`, an environment and a region each.
pub const CLUSTERS: [&str; 12] = [
    "development-ap-south",
    "development-eu-north",
    "development-eu-west",
    "development-us-east",
    "production-ap-south",
    "production-eu-north",
    "production-eu-west",
    "production-us-east",
    "staging-ap-south",
    "staging-eu-north",
    "staging-eu-west",
    "staging-us-east",
];

const REGIONS: [&str; 4] = ["ap-south", "eu-north", "eu-west", "us-east"];

/// Names and texts.
type Files = &'static [(&'static str, &'static str)];

/// A team: its name, the prefix of its objects, its applications.
const TEAMS: &[(&str, &str, &[App])] = &[
    (
        "payments",
        "pay-",
        &[
            App::new("api", 8080).public().secret(),
            App::new("ledger", 9000).stateful().secret(),
            App::new("worker", 9001),
        ],
    ),
    (
        "shop",
        "shop-",
        &[
            App::new("web", 3000).public(),
            App::new("catalog", 8081),
            App::new("cart", 8082).secret(),
            App::new("search", 9200).stateful(),
        ],
    ),
    (
        "data",
        "data-",
        &[
            App::new("ingest", 8083).public(),
            App::new("warehouse", 5432).stateful().secret(),
            App::new("reports", 8084),
        ],
    ),
    (
        "identity",
        "id-",
        &[
            App::new("login", 8443).public().secret(),
            App::new("directory", 3890).stateful(),
        ],
    ),
];

/// An operator or service of the platform: its name, its definitions, further files.
const PLATFORM: &[(&str, &[&str], Files)] = &[
    (
        "certificates",
        &["Certificate", "Issuer"],
        &[("issuers.yaml", texts::ISSUERS)],
    ),
    (
        "metrics",
        &["Monitor", "AlertRule"],
        &[("rules.yaml", texts::PLATFORM_RULES)],
    ),
    ("gateway", &[], &[("class.yaml", texts::INGRESS_CLASS)]),
    ("logging", &[], &[("pipeline.yaml", texts::LOG_PIPELINE)]),
    (
        "backup",
        &["BackupPlan"],
        &[("plans.yaml", texts::BACKUP_PLANS)],
    ),
];

/// A feature: its name, its kustomization, its files.
const COMPONENTS: &[(&str, &str, Files)] = &[
    (
        "monitoring",
        texts::MONITORING,
        &[
            ("alerts.yaml", texts::ALERTS),
            ("scrape.yaml", texts::SCRAPE_PATCH),
        ],
    ),
    ("ingress", texts::INGRESS, &[("hosts.yaml", texts::HOSTS)]),
    (
        "hardening",
        texts::HARDENING,
        &[
            ("containers.yaml", texts::HARDENED),
            ("isolation.yaml", texts::ISOLATION),
        ],
    ),
    (
        "availability",
        texts::AVAILABILITY,
        &[("spread.yaml", texts::SPREAD)],
    ),
    (
        "backups",
        texts::BACKUPS,
        &[("jobs.yaml", texts::BACKUP_JOBS)],
    ),
    ("mirror", texts::MIRROR, &[]),
    ("debug", texts::DEBUG, &[("tools.yaml", texts::TOOLS)]),
];

/// An application.
struct App {
    name: &'static str,
    port: u16,
    stateful: bool,
    public: bool,
    secret: bool,
}

impl App {
    const fn new(name: &'static str, port: u16) -> Self {
        Self {
            name,
            port,
            stateful: false,
            public: false,
            secret: false,
        }
    }

    const fn stateful(mut self) -> Self {
        self.stateful = true;
        self
    }

    const fn public(mut self) -> Self {
        self.public = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

pub(super) fn files(put: Put<'_>) {
    for (name, kinds, extra) in PLATFORM {
        platform(name, kinds, extra, put);
    }
    put("platform/cluster/storage.yaml", texts::STORAGE);
    put("platform/cluster/people.yaml", texts::PEOPLE);
    put("platform/cluster/priorities.yaml", texts::PRIORITIES);
    put(
        "platform/cluster/kustomization.yaml",
        "resources:\n  - storage.yaml\n  - people.yaml\n  - priorities.yaml\n",
    );
    let parts = PLATFORM.iter().map(|(name, ..)| *name);
    let parts = list(parts.chain(["cluster"]));
    put(
        "platform/kustomization.yaml",
        &format!("resources:\n{parts}{}", texts::PLATFORM_LABELS),
    );

    for (team, prefix, apps) in TEAMS {
        for app in *apps {
            application(team, app, put);
        }
        let names = list(apps.iter().map(|app| app.name));
        let values = [("team", *team), ("prefix", prefix), ("apps", &names)];
        put(
            &format!("apps/{team}/team.yaml"),
            &fill(texts::TEAM_OBJECTS, &values),
        );
        put(
            &format!("apps/{team}/kustomization.yaml"),
            &fill(texts::TEAM, &values),
        );
    }

    for (name, kustomization, files) in COMPONENTS {
        put(
            &format!("components/{name}/kustomization.yaml"),
            kustomization,
        );
        for (file, text) in *files {
            put(&format!("components/{name}/{file}"), text);
        }
    }
    autoscaling(put);

    for (number, region) in REGIONS.iter().enumerate() {
        let zones = ["a", "b", "c"]
            .map(|zone| format!("{region}-{zone}"))
            .join(",");
        let provider = ["north", "south"][number % 2];
        let values = [
            ("region", *region),
            ("zones", &zones),
            ("provider", provider),
        ];
        put(
            &format!("regions/{region}/kustomization.yaml"),
            &fill(texts::REGION, &values),
        );
        put(
            &format!("regions/{region}/storage.yaml"),
            &fill(texts::REGION_STORAGE, &values),
        );
        put(
            &format!("regions/{region}/region.env"),
            &fill(texts::REGION_SETTINGS, &values),
        );
    }

    for (name, features, text) in texts::ENVIRONMENTS {
        let teams = TEAMS.iter().map(|(team, ..)| format!("../../apps/{team}"));
        let resources = list(["../../platform".to_owned()].into_iter().chain(teams));
        let features = list(
            features
                .iter()
                .map(|name| format!("../../components/{name}")),
        );
        let values = [
            ("resources", &*resources),
            ("components", &features),
            ("environment", name),
        ];
        put(
            &format!("environments/{name}/kustomization.yaml"),
            &fill(text, &values),
        );
        put(
            &format!("environments/{name}/limits.yaml"),
            &fill(texts::ENVIRONMENT_LIMITS, &values),
        );
        put(
            &format!("environments/{name}/settings.env"),
            &fill(texts::ENVIRONMENT_SETTINGS, &values),
        );
    }

    for (number, cluster) in CLUSTERS.iter().enumerate() {
        let (environment, region) = cluster.split_once('-').unwrap_or((cluster, ""));
        let replicas = (2 + number % 3).to_string();
        let values = [
            ("cluster", *cluster),
            ("environment", environment),
            ("region", region),
            ("replicas", &replicas),
        ];
        let folder = format!("clusters/{cluster}");
        put(
            &format!("{folder}/kustomization.yaml"),
            &fill(texts::CLUSTER, &values),
        );
        put(
            &format!("{folder}/capacity.yaml"),
            &fill(texts::CAPACITY, &values),
        );
        put(
            &format!("{folder}/identity.yaml"),
            &fill(texts::IDENTITY, &values),
        );
    }
}

fn platform(name: &str, kinds: &[&str], extra: Files, put: Put<'_>) {
    let folder = format!("platform/{name}");
    let mut names = vec!["controller.yaml".to_owned(), "rbac.yaml".to_owned()];
    let plurals = kinds.iter().map(|kind| format!("{}s", kind.to_lowercase()));
    let plurals: Vec<String> = plurals
        .chain(["configmaps".into(), "events".into()])
        .collect();
    let values = [("name", name), ("resources", &*plurals.join(", "))];
    put(
        &format!("{folder}/controller.yaml"),
        &fill(texts::CONTROLLER, &values),
    );
    put(
        &format!("{folder}/rbac.yaml"),
        &fill(texts::CONTROLLER_RBAC, &values),
    );
    put(
        &format!("{folder}/controller.env"),
        &fill(texts::CONTROLLER_SETTINGS, &values),
    );
    for kind in kinds {
        let group = format!("{name}.example.com");
        let file = format!("crd-{}.yaml", kind.to_lowercase());
        let text = definitions::definition(kind, &group, "SmallSpec", &["v1"]);
        put(&format!("{folder}/{file}"), &text);
        names.push(file);
    }
    for (file, text) in extra {
        put(&format!("{folder}/{file}"), text);
        names.push((*file).to_owned());
    }
    let names = list(names);
    let values = [("name", name), ("resources", &names)];
    put(
        &format!("{folder}/kustomization.yaml"),
        &fill(texts::CONTROLLER_KUSTOMIZATION, &values),
    );
}

fn application(team: &str, app: &App, put: Put<'_>) {
    let port = app.port.to_string();
    let kind = if app.stateful {
        "StatefulSet"
    } else {
        "Deployment"
    };
    let secret = if app.secret { texts::APP_SECRET } else { "" };
    let from_secret = if app.secret {
        texts::APP_FROM_SECRET
    } else {
        ""
    };
    let extra = match app.stateful {
        true => texts::APP_STATEFUL,
        false => texts::APP_STATELESS,
    };
    let exposure = if app.public { "public" } else { "internal" };
    let values = [
        ("secret", secret),
        ("from_secret", from_secret),
        ("extra", extra),
        ("app", app.name),
        ("team", team),
        ("port", &port),
        ("kind", kind),
        ("exposure", exposure),
    ];
    let folder = format!("apps/{team}/{}", app.name);
    for (file, text) in [
        ("kustomization.yaml", texts::APP),
        ("workload.yaml", texts::APP_WORKLOAD),
        ("service.yaml", texts::APP_SERVICE),
        ("rbac.yaml", texts::APP_RBAC),
        ("settings.env", texts::APP_SETTINGS),
    ] {
        put(&format!("{folder}/{file}"), &fill(text, &values));
    }
    if app.secret {
        put(
            &format!("{folder}/credentials.env"),
            &fill(texts::APP_CREDENTIALS, &values),
        );
    }
}

/// An autoscaler for every Deployment, a budget for every workload.
fn autoscaling(put: Put<'_>) {
    let mut scalers = Vec::new();
    let mut budgets = Vec::new();
    for (team, prefix, apps) in TEAMS {
        for app in *apps {
            let values = [("team", *team), ("prefix", prefix), ("app", app.name)];
            if !app.stateful {
                scalers.push(fill(texts::AUTOSCALER, &values));
            }
            budgets.push(fill(texts::BUDGET, &values));
        }
    }
    put(
        "components/autoscaling/scalers.yaml",
        &scalers.join("---\n"),
    );
    put(
        "components/autoscaling/budgets.yaml",
        &budgets.join("---\n"),
    );
    put(
        "components/autoscaling/kustomization.yaml",
        texts::AUTOSCALING,
    );
}
