namespace Kist.Ttrpc;

/// <summary>The outcome of a call: the numbers of google.rpc.Code.</summary>
public enum TtrpcStatusCode
{
    /// <summary>The call succeeded.</summary>
    Ok = 0,

    /// <summary>The caller gave up.</summary>
    Cancelled = 1,

    /// <summary>A failure that fits no other code.</summary>
    Unknown = 2,

    /// <summary>The request can never be right.</summary>
    InvalidArgument = 3,

    /// <summary>Time ran out.</summary>
    DeadlineExceeded = 4,

    /// <summary>What the request names does not exist.</summary>
    NotFound = 5,

    /// <summary>What the request would create exists.</summary>
    AlreadyExists = 6,

    /// <summary>A policy denies the request.</summary>
    PermissionDenied = 7,

    /// <summary>A limit is reached: a message too long, too many calls at once, a full disk.</summary>
    ResourceExhausted = 8,

    /// <summary>The callee is not in a state in which the request makes sense.</summary>
    FailedPrecondition = 9,

    /// <summary>The operation was stopped half way.</summary>
    Aborted = 10,

    /// <summary>The request reaches past a valid range.</summary>
    OutOfRange = 11,

    /// <summary>No such service or method.</summary>
    Unimplemented = 12,

    /// <summary>A defect in the callee.</summary>
    Internal = 13,

    /// <summary>The service cannot be reached now.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or damaged.</summary>
    DataLoss = 15,

    /// <summary>The caller has not proved who it is.</summary>
    Unauthenticated = 16,
}
