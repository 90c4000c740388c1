using System.Text;
using Kist.Formats;
using Kist.Images.Secrets;

namespace Kist.Agent.GuestServices;

/// <summary>
/// Variables whose value is a sealed secret. The policy sees, and pins, the sealed text; the container's program sees the
/// secret.
/// </summary>
static class SealedEnvironment
{
    /// <summary>The entries that change, each with what it becomes.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> UnsealAsync(
        ServiceDesk desk, Caller caller, IReadOnlyList<string> environment, CancellationToken cancellationToken)
    {
        var unsealed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in environment)
        {
            var separator = entry.IndexOf('=', StringComparison.Ordinal);
            if (!SealedSecret.IsSealed(entry.AsSpan(separator + 1)))
                continue;
            using var secret = await desk.UnsealAsync(caller, entry[(separator + 1)..], cancellationToken);
            unsealed.Add(entry, $"{entry[..separator]}={Text(secret)}");
        }

        return unsealed;
    }

    private static string Text(SecretBytes secret)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(secret.Span);
            return !text.Contains('\0', StringComparison.Ordinal) ? text : throw new MalformedDataException("unsealed secret", -1, "a variable holds no NUL");
        }
        catch (DecoderFallbackException)
        {
            throw new MalformedDataException("unsealed secret", -1, "a variable holds text, and this is none");
        }
    }
}
