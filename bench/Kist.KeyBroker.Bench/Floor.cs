using System.Diagnostics;
using System.Globalization;

namespace Kist.KeyBroker.Bench;

/// <summary>What one handshake hashes and encrypts.</summary>
/// <param name="Collateral">TCB info, identity, CRLs and their chains.</param>
/// <param name="Request">/attest, of which the quote with its certificates and the event log are most.</param>
/// <param name="Token">The answer.</param>
readonly record struct HandshakeBytes(long Collateral, long Request, long Token);

/// <summary>
/// What the cryptography of the same work costs alone, by "openssl speed" in the same run: the limit that the broker is
/// measured against. In it is what the protocol and the verification of the evidence demand, and nothing of how we do it: the
/// signatures over quote, QE report, certificates, collateral and CRLs; the token's signature; SHA-256 over what was signed,
/// over what the audit log links to (the request, and a verdict of about its size), and over the token; AES-GCM over what
/// travels. Not in it, because they cost a few microseconds: the nonce, the thumbprint, the key's point, the event log's replay.
/// </summary>
sealed class Floor
{
    // Quote, QE report, three PCK certificates, TCB info, QE identity, their signer, and two CRLs.
    private const int SignaturesOfQuote = 10;

    private readonly double _verify;
    private readonly double _sign;
    private readonly double _agree;
    private readonly double _agreeP256;
    private readonly double _hashByte;
    private readonly double _encryptByte;

    public Floor()
    {
        var output = Run("speed", "-seconds", "1", "ecdsap256", "ecdhx25519", "ecdhp256");
        var ecdsa = Columns(output, "ecdsa");
        (_sign, _verify) = (1 / ecdsa[^2], 1 / ecdsa[^1]);
        _agree = 1 / Columns(output, "X25519")[^1];
        _agreeP256 = 1 / Columns(output, "nistp256 ecdh", "ecdh (nistp256)")[^1];
        _hashByte = SecondsAByte("sha256");
        _encryptByte = SecondsAByte("aes-256-gcm");
    }

    /// <summary>TLS 1.3: a key of the moment, the agreement, and a signature. Making a key costs what a signature does.</summary>
    public double Connection => _agree + (2 * _sign);

    /// <summary>Everything in a quote verified from its bytes, and a token signed.</summary>
    public double HandshakeCold(HandshakeBytes bytes) => (SignaturesOfQuote * _verify) + _sign + (bytes.Collateral * _hashByte) + Bytes(bytes);

    /// <summary>The quote's own signature verified, what does not change between quotes of a machine remembered, and a token signed.</summary>
    public double HandshakeWarm(HandshakeBytes bytes) => _verify + _sign + Bytes(bytes);

    /// <summary>A token verified, and a secret encrypted to a P-256 key: a key of the moment, and the agreement.</summary>
    public double Read => _verify + _agreeP256 + _sign;

    public override string ToString() =>
        $"openssl speed, P-256: {1 / _verify:0} verifications/s, {1 / _sign:0} signatures/s, {1 / _agreeP256:0} agreements/s; X25519: {1 / _agree:0} agreements/s";

    // The request is hashed as evidence and in its parts, the verdict is of about its size, and the token is signed.
    private double Bytes(HandshakeBytes bytes) => (((3 * bytes.Request) + bytes.Token) * _hashByte) + ((bytes.Request + bytes.Token) * _encryptByte);

    private static double SecondsAByte(string algorithm)
    {
        var line = Run("speed", "-seconds", "1", "-bytes", "16384", "-evp", algorithm).Split('\n').Last(l => l.EndsWith('k'));
        return 1 / (1000 * double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1].TrimEnd('k'), CultureInfo.InvariantCulture));
    }

    private static double[] Columns(string output, params string[] names)
    {
        var line = output.Split('\n').Last(l => names.Any(n => l.Contains(n, StringComparison.Ordinal)) && !l.StartsWith('D'));
        return [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(c => double.TryParse(c, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).Where(n => !double.IsNaN(n))];
    }

    private static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var progress = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"openssl speed: {progress.Result}");
    }
}
