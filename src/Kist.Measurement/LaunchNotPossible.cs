using Kist.Formats;

namespace Kist.Measurement;

/// <summary>The error for inputs that are well formed but of which no launch can come.</summary>
static class LaunchNotPossible
{
    public static OperationFailedException Because(string subject, string reason, string? hint = null) =>
        new("predict the launch", subject, reason, hint);
}
