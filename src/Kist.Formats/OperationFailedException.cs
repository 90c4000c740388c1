namespace Kist.Formats;

/// <summary>
/// An operation on the world outside (a file, a socket, a system call, a server) that failed. It names the step, what
/// the step was done to, and what a person can do about it.
/// </summary>
public class OperationFailedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="step">What was being done, such as "pull layer".</param>
    /// <param name="subject">What it was done to: a path, a URI, a name.</param>
    /// <param name="reason">Why it failed, lower case, without a full stop.</param>
    /// <param name="hint">What to do about it, or null if nothing helpful can be said.</param>
    /// <param name="isTransient">True if the same call may succeed later.</param>
    /// <param name="inner">The cause, or null.</param>
    public OperationFailedException(
        string step, string subject, string reason, string? hint = null, bool isTransient = false, Exception? inner = null)
        : base($"{step}: {subject}: {reason}", inner)
    {
        Step = step;
        Subject = subject;
        Reason = reason;
        Hint = hint;
        IsTransient = isTransient;
    }

    /// <summary>What was being done.</summary>
    public string Step { get; }

    /// <summary>What it was done to.</summary>
    public string Subject { get; }

    /// <summary>Why it failed.</summary>
    public string Reason { get; }

    /// <summary>What to do about it, or null.</summary>
    public string? Hint { get; }

    /// <summary>True if the same call may succeed later.</summary>
    public bool IsTransient { get; }
}
