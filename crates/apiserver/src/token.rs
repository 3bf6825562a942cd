//! Signed tokens of service accounts.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use object::{Node, Text, json};

/// Issuer and default audience.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";

/// Longest token that is looked at; ours have about 700 bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Signs and checks tokens with one secret per cluster.
///
/// HS256 rather than a key pair: only this server checks its tokens.
pub(crate) struct Signer(hmac::Key);

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Namespace of the service account.
    pub(crate) namespace: Text,
    /// Name of the service account.
    pub(crate) name: Text,
    /// Uid of the service account; a new account of the same name is another one.
    pub(crate) uid: Text,
    /// Who the token is for.
    pub(crate) audiences: Vec<Text>,
    /// Seconds since 1970 at which it was made.
    pub(crate) issued: i64,
    /// Seconds since 1970 at which it ends.
    pub(crate) expires: i64,
    /// Kind, name and uid of the object it is bound to.
    pub(crate) bound: Option<(Text, Text, Text)>,
}

impl Signer {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token that says `claims`.
    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let text = format!(
            "{header}.{}",
            URL_SAFE_NO_PAD.encode(json::to_string(&claims.to_node()))
        );
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, text.as_bytes()).as_ref());
        format!("{text}.{signature}")
    }

    /// What `token` says, when it is one of ours and has not ended.
    pub(crate) fn verify(&self, token: &str, now_seconds: i64) -> Option<Claims> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (text, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.0, text.as_bytes(), &signature).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?;
        let claims = Claims::from_node(&json::parse(&payload, json::OBJECT_LIMITS).ok()?)?;
        (claims.expires > now_seconds).then_some(claims)
    }
}

impl Claims {
    fn to_node(&self) -> Node {
        let mut node = Node::map();
        node.set(
            &["aud"],
            Node::list(
                self.audiences
                    .iter()
                    .map(|audience| Node::String(audience.clone())),
            ),
        );
        node.set(&["exp"], self.expires);
        node.set(&["iat"], self.issued);
        node.set(&["iss"], ISSUER);
        const OURS: &str = "kubernetes.io";
        node.set(&[OURS, "namespace"], self.namespace.clone());
        if let Some((kind, name, uid)) = &self.bound {
            let member = kind.to_lowercase();
            node.set(&[OURS, &member, "name"], name.clone());
            node.set(&[OURS, &member, "uid"], uid.clone());
        }
        node.set(&[OURS, "serviceaccount", "name"], self.name.clone());
        node.set(&[OURS, "serviceaccount", "uid"], self.uid.clone());
        node.set(&["nbf"], self.issued);
        node.set(
            &["sub"],
            format!("system:serviceaccount:{}:{}", self.namespace, self.name),
        );
        node
    }

    fn from_node(node: &Node) -> Option<Self> {
        let ours = node.get("kubernetes.io")?;
        let bound = [("pod", "Pod"), ("secret", "Secret"), ("node", "Node")]
            .into_iter()
            .find_map(|(member, kind)| {
                let name = ours.str_at(&[member, "name"])?;
                Some((
                    kind.into(),
                    name.into(),
                    ours.str_at(&[member, "uid"])?.into(),
                ))
            });
        Some(Self {
            namespace: ours.str_at(&["namespace"])?.into(),
            name: ours.str_at(&["serviceaccount", "name"])?.into(),
            uid: ours.str_at(&["serviceaccount", "uid"])?.into(),
            audiences: node
                .get("aud")?
                .as_list()?
                .iter()
                .filter_map(|one| one.as_str().map(Text::from))
                .collect(),
            issued: node.get("iat")?.as_i64()?,
            expires: node.get("exp")?.as_i64()?,
            bound,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_until_it_ends_and_only_with_its_secret() {
        let claims = Claims {
            namespace: "shop".into(),
            name: "robot".into(),
            uid: "1".into(),
            audiences: vec![ISSUER.into()],
            issued: 100,
            expires: 200,
            bound: Some(("Pod".into(), "p".into(), "2".into())),
        };
        let signer = Signer::new(b"one");
        let token = signer.sign(&claims);
        assert_eq!(signer.verify(&token, 199), Some(claims));
        assert_eq!(signer.verify(&token, 200), None);
        assert_eq!(Signer::new(b"two").verify(&token, 199), None);
        let (text, _) = token.rsplit_once('.').expect("three parts");
        for broken in ["", "a.b.c", "..", text, &format!("{text}.")] {
            assert_eq!(signer.verify(broken, 0), None, "{broken}");
        }
    }
}
