//! Findings, changes, policy and the saved plan: a pure function of manifest and observation.
