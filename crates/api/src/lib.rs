//! The resources Fleetwright serves: Flux's kinds, their conditions and their CRDs.
