//! What the generated stubs say about a method.

/// How many messages go which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// One request, many responses.
    ServerStream,
    /// Many requests, one response.
    ClientStream,
    /// Many of both, each at their own pace.
    Bidi,
}

/// A method of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    path: &'static str,
    kind: MethodKind,
    is_read_only: bool,
}

impl Method {
    pub(crate) const fn new(path: &'static str, kind: MethodKind, is_read_only: bool) -> Method {
        Method { path, kind, is_read_only }
    }

    /// For example `hito.v1.GoalService/CreateGoal`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// How many messages go which way.
    pub fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Whether it changes nothing, so that a client may repeat it at will.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }
}
