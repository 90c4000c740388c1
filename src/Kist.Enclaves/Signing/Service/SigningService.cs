using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Enclaves.Signing.Service;

/// <summary>
/// Signs enclaves for callers who are known, by rules, with a key that never leaves; every answer is in the log first. Safe for
/// concurrent use.
/// </summary>
/// <param name="signer">The key.</param>
/// <param name="policy">Who may have what signed.</param>
/// <param name="log">Where it is recorded.</param>
/// <param name="time">The clock.</param>
public sealed class SigningService(ISigstructSigner signer, SigningPolicy policy, SigningLog log, TimeProvider time)
{
    private readonly Lock _signing = new();

    /// <summary>The signer's public key, PEM.</summary>
    public string PublicKeyPem { get; } = PemOf(signer.Modulus);

    /// <summary>Who presents this key or token; null if nobody is known by it.</summary>
    /// <param name="certificateKey">SubjectPublicKeyInfo of the TLS client certificate; empty if there is none.</param>
    /// <param name="token">The bearer token; null if there is none.</param>
    public string? CallerOf(ReadOnlySpan<byte> certificateKey, string? token)
    {
        var certificate = certificateKey.IsEmpty ? null : Convert.ToHexStringLower(SHA256.HashData(certificateKey));
        var bearer = token is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        return policy.Callers.FirstOrDefault(c => IsSame(c.Certificate, certificate) || IsSame(c.Token, bearer))?.Name;
    }

    /// <summary>Signs what one of the rules allows the caller to have signed.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="material">The 256 bytes of a SIGSTRUCT that are signed.</param>
    /// <returns>The signature, 384 bytes, most significant byte first.</returns>
    /// <exception cref="SigningRefusedException">No rule allows it; the log says why.</exception>
    /// <exception cref="MalformedDataException">It is no material.</exception>
    public byte[] Sign(string caller, ReadOnlySpan<byte> material)
    {
        var fields = SigstructFields.Parse(material);
        var obstacles = policy.Rules.Select(rule => rule.FindObstacle(caller, fields)).ToArray();
        if (obstacles.Length == 0 || Array.TrueForAll(obstacles, o => o is not null))
        {
            Record(caller, fields, "denied", obstacles.Length == 0 ? ["there is no rule"] : obstacles);
            throw new SigningRefusedException();
        }

        Record(caller, fields, "allowed", null);
        // A token's session does one thing at a time.
        lock (_signing)
            return signer.Sign(material);
    }

    private void Record(string caller, SigstructFields fields, string outcome, string?[]? why) => log.Append(writer =>
    {
        writer.WriteString("at"u8, time.GetUtcNow());
        writer.WriteString("caller"u8, caller);
        writer.WriteString("outcome"u8, outcome);
        writer.WriteString("mrenclave"u8, Convert.ToHexStringLower(fields.EnclaveHash.Span));
        writer.WriteNumber("product"u8, fields.IsvProdId);
        writer.WriteNumber("version"u8, fields.IsvSvn);
        writer.WriteString("attributes"u8, $"{fields.Attributes}");
        writer.WriteBoolean("debug"u8, fields.IsDebugType || fields.Attributes.IsDebug);
        if (why is null)
            return;
        writer.WriteStartArray("why"u8);
        foreach (var obstacle in why)
            writer.WriteStringValue(obstacle);
        writer.WriteEndArray();
    });

    private static bool IsSame(string? expected, string? presented) =>
        expected is not null && presented is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(presented));

    private static string PemOf(ReadOnlySpan<byte> modulus)
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus.ToArray(), Exponent = [3] });
        return rsa.ExportSubjectPublicKeyInfoPem() + "\n";
    }
}

/// <summary>No rule allows it. What the rules say is in the log, and not for the caller.</summary>
public sealed class SigningRefusedException() : Exception("no rule allows this to be signed");
