using System.Collections.Concurrent;
using System.Security.Cryptography;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Judges many SGX or TDX quotes of few platforms. The quoting enclave's part of a quote (its key, report, certificates) and
/// the facts about the platform are the same, byte for byte, in every quote of one quoting enclave; they are judged once, by the
/// full verifier, and remembered by their exact bytes. What remains for each quote is its own signature and its report data.
/// Safe for concurrent use; a quote of a remembered platform allocates nothing.
/// </summary>
/// <remarks>
/// A decision made here is the same as <see cref="EvidenceVerifier"/>'s for the same quote, options and time, without an event
/// log and without init-data. Reference values must be compared by the caller, or by the full verifier.
/// </remarks>
public sealed class QuoteVerifier
{
    private readonly VerificationOptions _options;
    private readonly int _capacity;
    private readonly ConcurrentDictionary<PlatformKey, Platform> _platforms = new();

    /// <summary>Creates a verifier without memories.</summary>
    /// <param name="options">How to judge; its time is replaced by the time of each call.</param>
    /// <param name="capacity">How many platforms are remembered; all are forgotten when there are more.</param>
    /// <exception cref="ArgumentException">The options have reference values, which cannot be judged here.</exception>
    public QuoteVerifier(VerificationOptions options, int capacity = 1024)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        if (!options.References.IsEmpty)
            throw new ArgumentException("reference values are for the full verifier", nameof(options));
        _options = options;
        _capacity = capacity;
    }

    /// <summary>Judges one quote.</summary>
    /// <param name="quote">The quote, with whatever follows it.</param>
    /// <param name="reportData">What it has to bind, 1 to 64 bytes, zero-padded here.</param>
    /// <param name="time">The time of judgement.</param>
    /// <returns>True if the quote is genuine, acceptable and bound.</returns>
    /// <exception cref="MalformedDataException">The quote does not follow its format.</exception>
    public bool Verify(ReadOnlyMemory<byte> quote, ReadOnlySpan<byte> reportData, DateTimeOffset time)
    {
        var layout = QuoteLayout.Read(quote.Span);
        Span<byte> hash = stackalloc byte[32];
        layout.HashPlatform(quote.Span, hash);
        var key = new PlatformKey(hash);
        if (!_platforms.TryGetValue(key, out var platform) || !platform.HoldsAt(time, _options.Collateral))
            platform = Judge(key, quote, time);
        SHA256.HashData(quote.Span[..layout.SignedLength], hash);
        var signed = platform.AttestationKey is { } attestationKey && attestationKey.VerifyEcdsaHash(hash, layout.Signature(quote.Span));
        return platform.IsAcceptable & signed & Binds(layout.ReportData(quote.Span), reportData);
    }

    private static bool Binds(ReadOnlySpan<byte> field, ReadOnlySpan<byte> expected) =>
        expected.Length > 0 && expected.Length <= field.Length
        && field[..expected.Length].SequenceEqual(expected) && !field[expected.Length..].ContainsAnyExcept((byte)0);

    /// <summary>Runs the full verifier on the first quote of a platform. Its own signature does not count for the platform.</summary>
    private Platform Judge(PlatformKey key, ReadOnlyMemory<byte> quote, DateTimeOffset time)
    {
        var parsed = DcapQuoteReader.Read(quote);
        var options = _options with { Time = time };
        var verdict = EvidenceVerifier.Verify(new Evidence { Tee = parsed.IsTdx ? "tdx" : "sgx", Bytes = quote }, ExpectedBinding.None, options);
        var ownSignature = $"{verdict.Tee}.quote.signature";
        var others = verdict.Findings.Where(f => f.Id != ownSignature).ToList();
        var acceptable = others.Any(f => f.Outcome == FindingOutcome.Pass) && !others.Any(f => f.Outcome == FindingOutcome.Fail);
        var (from, until, collateralKey, collateral) = ValidityWindow.Of(parsed, options, time);
        var platform = new Platform(acceptable, PublicKey.FromP256(parsed.AttestationKey.Span), from, until, collateralKey, collateral);
        if (_platforms.Count >= _capacity)
            _platforms.Clear();
        _platforms[key] = platform;
        return platform;
    }

    /// <summary>SHA-256 of everything that is the same for all quotes of one platform and quoting enclave.</summary>
    private readonly record struct PlatformKey(UInt128 First, UInt128 Second)
    {
        public PlatformKey(ReadOnlySpan<byte> hash)
            : this(
                System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash),
                System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash[16..]))
        {
        }
    }

    /// <summary>
    /// What is remembered. It holds in the window in which none of the judgement's time limits is crossed, and as long as the
    /// source has the same collateral: newer collateral may revoke the platform.
    /// </summary>
    private sealed record Platform(
        bool IsAcceptable, PublicKey? AttestationKey, DateTimeOffset From, DateTimeOffset Until, DcapCollateralKey CollateralKey, DcapCollateral? Collateral)
    {
        public bool HoldsAt(DateTimeOffset time, ICollateralSource source) =>
            From <= time && time <= Until && Collateral is not null && ReferenceEquals(source.FindDcap(CollateralKey), Collateral);
    }
}
