using System.Text;
using System.Text.Json;

namespace Kist.Attestation.Snp;

/// <summary>
/// Azure's Trusted Hardware Identity Management gives a host's certificates as JSON: {"vcekCert": PEM, "certificateChain": PEM,
/// "tcbm": …}; container groups find it in base64 (host-amd-cert-base64).
/// </summary>
internal static class ThimCertificates
{
    /// <summary>All certificates in PEM, leaf first; empty if this is no such answer.</summary>
    public static ReadOnlyMemory<byte> ToPem(ReadOnlyMemory<byte> file)
    {
        if (file.Length is 0 or > EvidenceLimits.CertificateChain)
            return default;
        var json = TextEncoding.FirstCharacter(file.Span) == '{' ? file
            : TextEncoding.TryDecode(file.Span) is { Name: "base64", Data: { } decoded } ? decoded
            : default;
        if (json.IsEmpty || TextEncoding.FirstCharacter(json.Span) != '{')
            return default;
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return root.TryGetProperty("vcekCert", out var leaf) && root.TryGetProperty("certificateChain", out var chain)
                ? Encoding.UTF8.GetBytes($"{leaf.GetString()}\n{chain.GetString()}")
                : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }
}
