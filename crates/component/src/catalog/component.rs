//! Whether a component can be released, and the release.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/component/controller.go` at v0.12.0 and v1.2.3, the
//! checks in their order.

use std::collections::BTreeSet;
use std::fmt;

use diag::Reason;
use object::{Node, Text};

use super::Catalog;
use crate::model::{Component, Head, Owner, Reference, Schemas};
use crate::snapshot::{Parts, release_digest, snapshot};

/// A component as it is now, frozen.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    /// The spec of a ComponentRelease.
    pub spec: Node,
    /// Its digest, see [`release_digest`].
    pub digest: String,
    /// The environment that releases come to first.
    pub first_environment: Text,
}

/// Why a component cannot be released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentProblem {
    /// It is written for the first versions, which had no component types.
    LegacyType,
    /// There is no such component type.
    TypeNotFound(Reference),
    /// The component type makes another kind of workload than the component names.
    WorkloadType {
        /// Of the component.
        wanted: Text,
        /// Of the type.
        found: Text,
    },
    /// The type does not allow the workflow.
    WorkflowNotAllowed(Reference),
    /// There is no such workflow.
    WorkflowNotFound(Reference),
    /// It has no workload.
    WorkloadNotFound,
    /// It has several workloads.
    Workloads(Vec<Text>),
    /// The type does not allow a trait.
    TraitNotAllowed(Reference),
    /// Two traits in use have one instance name.
    RepeatedInstance(Text),
    /// There is no such trait.
    TraitNotFound(Reference),
    /// There is no such project.
    ProjectNotFound(Text),
    /// The project names no pipeline.
    NoPipeline(Text),
    /// There is no such pipeline.
    PipelineNotFound(Text),
    /// Every environment of the pipeline is the target of another, or there is none.
    NoFirstEnvironment(Text),
}

impl ComponentProblem {
    /// The word for the condition `Ready`.
    pub fn reason(&self) -> Reason {
        Reason(match self {
            Self::TypeNotFound(_) => "ComponentTypeNotFound",
            Self::WorkflowNotAllowed(_) => "WorkflowNotAllowed",
            Self::WorkflowNotFound(_) => "WorkflowNotFound",
            Self::WorkloadNotFound => "WorkloadNotFound",
            Self::TraitNotFound(_) => "TraitNotFound",
            Self::ProjectNotFound(_) => "ProjectNotFound",
            Self::PipelineNotFound(_) => "DeploymentPipelineNotFound",
            Self::LegacyType
            | Self::WorkloadType { .. }
            | Self::Workloads(_)
            | Self::TraitNotAllowed(_)
            | Self::RepeatedInstance(_)
            | Self::NoPipeline(_)
            | Self::NoFirstEnvironment(_) => "InvalidConfiguration",
        })
    }
}

impl fmt::Display for ComponentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = |f: &mut fmt::Formatter<'_>, reference: &Reference| {
            write!(f, "{} `{}` does not exist", reference.kind, reference.name)
        };
        match self {
            Self::LegacyType => {
                f.write_str("legacy type: name a component type in `spec.componentType`")
            }
            Self::TypeNotFound(reference)
            | Self::WorkflowNotFound(reference)
            | Self::TraitNotFound(reference) => missing(f, reference),
            Self::WorkloadType { wanted, found } => write!(
                f,
                "the component wants a {wanted}, and its type makes a {found}"
            ),
            Self::WorkflowNotAllowed(reference) | Self::TraitNotAllowed(reference) => write!(
                f,
                "the component type does not allow {} `{}`",
                reference.kind, reference.name
            ),
            Self::WorkloadNotFound => f.write_str("the component has no Workload"),
            Self::Workloads(names) => {
                write!(
                    f,
                    "the component has several Workloads: {}",
                    names.join(", ")
                )
            }
            Self::RepeatedInstance(name) => {
                write!(f, "trait instance `{name}` is there twice")
            }
            Self::ProjectNotFound(name) => write!(f, "Project `{name}` does not exist"),
            Self::NoPipeline(name) => write!(f, "Project `{name}` names no pipeline"),
            Self::PipelineNotFound(name) => {
                write!(f, "DeploymentPipeline `{name}` does not exist")
            }
            Self::NoFirstEnvironment(name) => write!(
                f,
                "DeploymentPipeline `{name}` has no environment to start from"
            ),
        }
    }
}

impl Catalog {
    /// Freezes a component with its type, traits and workload.
    ///
    /// # Errors
    /// Everything that is in the way, in the order in which upstream looks; the reason of the
    /// first is that of the condition `Ready`.
    pub fn freeze(&self, component: &Component) -> Result<Frozen, Vec<ComponentProblem>> {
        let namespace = component.head.namespace.as_str();
        let mut problems = Vec::new();
        let component_type = match &component.component_type {
            None => {
                problems.push(ComponentProblem::LegacyType);
                None
            }
            Some(typed) => {
                let (workload_type, name) = typed.split_once('/').unwrap_or(("", typed));
                let reference = Reference {
                    kind: component.type_kind.clone(),
                    name: name.into(),
                };
                let found = self.component_type(namespace, &reference);
                match found {
                    None => problems.push(ComponentProblem::TypeNotFound(reference)),
                    Some(own) if own.spec.workload_type != workload_type => {
                        problems.push(ComponentProblem::WorkloadType {
                            wanted: workload_type.into(),
                            found: own.spec.workload_type.clone(),
                        });
                    }
                    Some(_) => {}
                }
                found
            }
        };
        let v1 =
            component_type.is_some_and(|own| matches!(own.spec.schemas, Schemas::OpenApi { .. }));
        if let (true, Some(own), Some(workflow)) = (v1, component_type, &component.workflow) {
            if !own.spec.allowed_workflows.contains(workflow) {
                problems.push(ComponentProblem::WorkflowNotAllowed(workflow.clone()));
            } else if self.referred(namespace, workflow).is_none() {
                problems.push(ComponentProblem::WorkflowNotFound(workflow.clone()));
            }
        }
        let owner = Owner {
            project: component.owner.project.clone(),
            component: component.head.name.clone(),
        };
        let workloads: Vec<&Head> = self
            .workloads(namespace, &owner)
            .map(|own| &own.head)
            .collect();
        match workloads.len() {
            0 => problems.push(ComponentProblem::WorkloadNotFound),
            1 => {}
            _ => {
                let names = workloads.iter().map(|own| own.name.clone()).collect();
                problems.push(ComponentProblem::Workloads(names));
            }
        }
        let traits = self.traits_of(
            component,
            component_type.map(|own| &own.spec),
            v1,
            &mut problems,
        );
        let first_environment = self.first_environment(namespace, &owner, &mut problems);
        let (true, Some(component_type), [workload], Some(first_environment)) = (
            problems.is_empty(),
            component_type,
            workloads.as_slice(),
            first_environment,
        ) else {
            return Err(problems);
        };
        let type_reference = Reference {
            kind: component_type.head.kind.clone(),
            name: component_type.head.name.clone(),
        };
        let traits: Vec<(Reference, Node)> = traits
            .into_iter()
            .map(|(reference, head)| (reference, self.spec_of(&head)))
            .collect();
        let spec = snapshot(&Parts {
            component: &self.spec_of(&component.head),
            owner: &owner,
            type_reference: &type_reference,
            component_type: &self.spec_of(&component_type.head),
            traits: &traits,
            workload: &self.spec_of(workload),
        });
        Ok(Frozen {
            digest: release_digest(&spec),
            spec,
            first_environment,
        })
    }

    /// The spec of an object as it is written.
    fn spec_of(&self, head: &Head) -> Node {
        let key = (head.kind.clone(), head.namespace.clone(), head.name.clone());
        self.specs.get(&key).cloned().unwrap_or_default()
    }

    /// Every trait that a component or its type uses, each once.
    fn traits_of(
        &self,
        component: &Component,
        component_type: Option<&crate::model::ComponentType>,
        v1: bool,
        problems: &mut Vec<ComponentProblem>,
    ) -> Vec<(Reference, Head)> {
        let embedded = component_type.map(|own| own.traits.as_slice());
        let embedded = embedded.unwrap_or_default();
        let allowed = component_type.map(|own| own.allowed_traits.as_slice());
        let allowed = allowed.unwrap_or_default();
        let mut instances = BTreeSet::new();
        let mut missing = Vec::new();
        let mut out: Vec<(Reference, Head)> = Vec::new();
        let all = embedded.iter().map(|own| (own, true));
        for (own, embedded) in all.chain(component.traits.iter().map(|own| (own, false))) {
            let reference = Reference {
                kind: own.kind.clone(),
                name: own.name.clone(),
            };
            if v1 && !embedded && !allowed.is_empty() && !allowed.contains(&reference) {
                problems.push(ComponentProblem::TraitNotAllowed(reference.clone()));
            }
            if !instances.insert(own.instance.clone()) {
                problems.push(ComponentProblem::RepeatedInstance(own.instance.clone()));
            }
            if out.iter().any(|(known, _)| *known == reference) {
                continue;
            }
            match self.trait_of(&component.head.namespace, &reference) {
                Some(found) => out.push((reference, found.head.clone())),
                None => missing.push(ComponentProblem::TraitNotFound(reference)),
            }
        }
        missing.dedup();
        problems.extend(missing);
        out
    }

    fn first_environment(
        &self,
        namespace: &str,
        owner: &Owner,
        problems: &mut Vec<ComponentProblem>,
    ) -> Option<Text> {
        let found = (|| {
            let Some(project) = self.project(namespace, &owner.project) else {
                return Err(ComponentProblem::ProjectNotFound(owner.project.clone()));
            };
            let Some(reference) = &project.pipeline else {
                return Err(ComponentProblem::NoPipeline(owner.project.clone()));
            };
            let name = reference.name.clone();
            let Some(pipeline) = self.pipeline(namespace, &name) else {
                return Err(ComponentProblem::PipelineNotFound(name));
            };
            let first = pipeline.first_environment().cloned();
            first.ok_or(ComponentProblem::NoFirstEnvironment(name))
        })();
        match found {
            Ok(first) => Some(first),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }
}
