//! Answers that only the shell can complete: tokens are made and checked here.

use apimachine::{Body, Request, Response, User};
use object::{Node, Text};

use crate::cluster::Cluster;
use crate::token::{Claims, ISSUER};

/// How long a token of a service account holds unless the request says otherwise.
const TOKEN_SECONDS_DEFAULT: i64 = 3600;

impl Cluster {
    /// Whose token it is, and which of the wanted audiences it is for.
    ///
    /// Static tokens are for the API server itself. Without wanted audiences the API server is the one.
    pub(crate) fn authenticate_token(
        &self,
        token: &str,
        audiences: &[Text],
    ) -> Option<(User, Vec<Text>)> {
        let ours = [Text::from(ISSUER)];
        let wanted = if audiences.is_empty() {
            &ours[..]
        } else {
            audiences
        };
        if token.is_empty() {
            return None;
        }
        let (user, held) = match self.tokens.user(token) {
            Some(user) => (user.clone(), ours.to_vec()),
            None => {
                let claims = self.signer.verify(token, self.now().unix())?;
                let user = self.account_of(&claims)?;
                (user, claims.audiences)
            }
        };
        let matching: Vec<Text> = held
            .into_iter()
            .filter(|one| wanted.contains(one))
            .collect();
        (!matching.is_empty()).then_some((user, matching))
    }

    /// The service account of a token, while it and the object it is bound to exist.
    fn account_of(&self, claims: &Claims) -> Option<User> {
        let state = self.snapshot();
        let account = state.get("serviceaccounts", &claims.namespace, &claims.name)?;
        if account.str_at(&["metadata", "uid"]) != Some(&claims.uid) {
            return None;
        }
        if let Some((kind, name, uid)) = &claims.bound {
            let (resource, namespace) = match kind.as_str() {
                "Pod" => ("pods", claims.namespace.as_str()),
                "Secret" => ("secrets", claims.namespace.as_str()),
                _ => ("nodes", ""),
            };
            let bound = state.get(resource, namespace, name)?;
            if bound.str_at(&["metadata", "uid"]) != Some(uid) {
                return None;
            }
        }
        let mut user = User::service_account(&claims.namespace, &claims.name);
        user.uid = claims.uid.clone();
        Some(user)
    }

    /// Fills in what the rules leave open: the verdict of a TokenReview, the token of a TokenRequest.
    pub(crate) fn complete_identity(&self, request: &Request, response: &mut Response) {
        if request.method != "POST" || response.status != 201 {
            return;
        }
        let is_review = request.path.ends_with("/tokenreviews");
        let is_token =
            request.path.ends_with("/token") && request.path.contains("/serviceaccounts/");
        let Body::Node(node) = &mut response.body else {
            return;
        };
        if is_review && node.str_at(&["kind"]) == Some("TokenReview") {
            self.complete_review(node);
        } else if is_token && node.str_at(&["kind"]) == Some("TokenRequest") {
            self.complete_token(&request.path, node);
        }
    }

    fn complete_review(&self, node: &mut Node) {
        let token = node.str_at(&["spec", "token"]).unwrap_or_default();
        let audiences = texts(node.at(&["spec", "audiences"]));
        let mut status = Node::map();
        match self.authenticate_token(token, &audiences) {
            Some((user, audiences)) => {
                status.set(&["authenticated"], true);
                status.set(&["user"], user.to_node());
                status.set(&["audiences"], Node::list(audiences));
            }
            None => {
                status.set(&["user"], Node::map());
                status.set(&["error"], "invalid bearer token");
            }
        }
        node.set(&["status"], status);
    }

    fn complete_token(&self, path: &str, node: &mut Node) {
        let parts: Vec<&str> = path
            .trim_start_matches("/api/v1/namespaces/")
            .split('/')
            .collect();
        let [namespace, "serviceaccounts", name, "token"] = parts[..] else {
            return;
        };
        let (namespace, name) = (
            crate::http::percent_decode(namespace),
            crate::http::percent_decode(name),
        );
        let state = self.snapshot();
        let Some(account) = state.get("serviceaccounts", &namespace, &name) else {
            return;
        };
        let issued = self.now().unix();
        let seconds = node
            .at(&["spec", "expirationSeconds"])
            .and_then(Node::as_i64)
            .unwrap_or(TOKEN_SECONDS_DEFAULT);
        let mut audiences = texts(node.at(&["spec", "audiences"]));
        if audiences.is_empty() {
            audiences.push(ISSUER.into());
        }
        let reference = node.at(&["spec", "boundObjectRef"]);
        let bound = reference.and_then(|reference| {
            let uid = reference.str_at(&["uid"]).unwrap_or_default();
            Some((
                reference.str_at(&["kind"])?.into(),
                reference.str_at(&["name"])?.into(),
                uid.into(),
            ))
        });
        let expires = issued.saturating_add(seconds);
        let token = self.signer.sign(&Claims {
            namespace: namespace.as_str().into(),
            name: name.as_str().into(),
            uid: account
                .str_at(&["metadata", "uid"])
                .unwrap_or_default()
                .into(),
            audiences: audiences.clone(),
            issued,
            expires,
            bound,
        });
        node.set(&["spec", "audiences"], Node::list(audiences));
        node.set(&["spec", "expirationSeconds"], seconds);
        node.set(&["status", "token"], token);
        node.set(
            &["status", "expirationTimestamp"],
            apimachine::Timestamp::from_unix(expires).to_string(),
        );
    }
}

fn texts(node: Option<&Node>) -> Vec<Text> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(Text::from))
        .collect()
}
