//! The file that tells clients where a server is and who they are.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::json;

use crate::certificates::Identity;

/// A kubeconfig with one cluster, one user and one context.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    /// Name of cluster, user and context.
    pub name: String,
    /// Address, as `https://127.0.0.1:7443`.
    pub server: String,
    /// PEM of the authority that signed the server's certificate; absent without TLS.
    pub authority: Option<String>,
    /// Client certificate and key.
    pub identity: Option<Identity>,
    /// Bearer token.
    pub token: Option<String>,
}

impl Kubeconfig {
    /// The text of the file.
    pub fn to_yaml(&self) -> String {
        let text = |text: &str| {
            let mut out = String::new();
            json::write_string(text, &mut out);
            out
        };
        let name = text(&self.name);
        let mut cluster = format!("    server: {}\n", text(&self.server));
        if let Some(authority) = &self.authority {
            cluster += &format!(
                "    certificate-authority-data: {}\n",
                STANDARD.encode(authority)
            );
        }
        let mut user = String::new();
        if let Some(identity) = &self.identity {
            user += &format!(
                "    client-certificate-data: {}\n",
                STANDARD.encode(&identity.certificate)
            );
            user += &format!("    client-key-data: {}\n", STANDARD.encode(&identity.key));
        }
        if let Some(token) = &self.token {
            user += &format!("    token: {}\n", text(token));
        }
        let user = if user.is_empty() {
            "  user: {}\n".to_owned()
        } else {
            format!("  user:\n{user}")
        };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
             clusters:\n- name: {name}\n  cluster:\n{cluster}\
             contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n\
             users:\n- name: {name}\n{user}"
        )
    }

    /// Writes the file so that only its owner can read it, and never half of it.
    ///
    /// # Errors
    /// What the system says about the file or its folder.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        write_private(path, self.to_yaml().as_bytes())
    }
}

/// Writes a file that holds secrets: beside its place, then moved there.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_names_server_authority_and_user() {
        let kubeconfig = Kubeconfig {
            name: "demo".into(),
            server: "https://127.0.0.1:7443/clusters/a".into(),
            authority: Some("CA".into()),
            identity: None,
            token: Some("x: \"y\"".into()),
        };
        expect_test::expect![[r#"
            apiVersion: v1
            kind: Config
            current-context: "demo"
            clusters:
            - name: "demo"
              cluster:
                server: "https://127.0.0.1:7443/clusters/a"
                certificate-authority-data: Q0E=
            contexts:
            - name: "demo"
              context:
                cluster: "demo"
                user: "demo"
            users:
            - name: "demo"
              user:
                token: "x: \"y\""
        "#]]
        .assert_eq(&kubeconfig.to_yaml());
    }
}
