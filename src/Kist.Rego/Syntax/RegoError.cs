namespace Kist.Rego;

/// <summary>One error in a policy, or in evaluating it.</summary>
/// <param name="Code">OPA's stable name of the kind of error: see <see cref="RegoErrorCode"/>.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Location">Where in the source.</param>
public sealed record RegoError(string Code, string Message, RegoLocation Location)
{
    /// <summary><c>file:row: code: message</c>, as OPA writes it.</summary>
    public override string ToString() =>
        Location.Row == 0 ? $"{Code}: {Message}"
        : Location.File.Length == 0 ? $"{Location.Row}:{Location.Column}: {Code}: {Message}"
        : $"{Location.File}:{Location.Row}: {Code}: {Message}";
}
