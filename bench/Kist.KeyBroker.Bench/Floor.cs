using System.Diagnostics;
using System.Globalization;

namespace Kist.KeyBroker.Bench;

/// <summary>
/// What the public-key operations of the same work cost alone, by "openssl speed" in the same run: the limit that the
/// broker is measured against.
/// </summary>
sealed class Floor
{
    // Quote, QE report, three PCK certificates, TCB info, QE identity, their signer, and two CRLs.
    private const int SignaturesOfQuote = 10;

    private readonly double _verify;
    private readonly double _sign;
    private readonly double _agree;
    private readonly double _agreeP256;

    public Floor()
    {
        var output = Run("speed", "-seconds", "1", "ecdsap256", "ecdhx25519", "ecdhp256");
        var ecdsa = Columns(output, "ecdsa");
        (_sign, _verify) = (1 / ecdsa[^2], 1 / ecdsa[^1]);
        _agree = 1 / Columns(output, "X25519")[^1];
        _agreeP256 = 1 / Columns(output, "nistp256 ecdh", "ecdh (nistp256)")[^1];
    }

    /// <summary>TLS 1.3: a key of the moment, the agreement, and a signature. Making a key costs what a signature does.</summary>
    public double Connection => _agree + (2 * _sign);

    /// <summary>Everything in a quote verified from its bytes, and a token signed.</summary>
    public double HandshakeCold => (SignaturesOfQuote * _verify) + _sign;

    /// <summary>The quote's own signature verified, what does not change between quotes of a machine remembered, and a token signed.</summary>
    public double HandshakeWarm => _verify + _sign;

    /// <summary>A token verified, and a secret encrypted to a P-256 key: a key of the moment, and the agreement.</summary>
    public double Read => _verify + _agreeP256 + _sign;

    public override string ToString() =>
        $"openssl speed, P-256: {1 / _verify:0} verifications/s, {1 / _sign:0} signatures/s, {1 / _agreeP256:0} agreements/s; X25519: {1 / _agree:0} agreements/s";

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
