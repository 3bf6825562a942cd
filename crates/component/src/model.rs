//! What a component tree says, whichever version of OpenChoreo it was written for.
