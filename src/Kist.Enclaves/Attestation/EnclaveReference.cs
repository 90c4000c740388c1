using System.Collections.Immutable;
using System.Globalization;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// Which enclave is expected: this very one (MRENCLAVE), or any of a signer's product from a version on. One of the two
/// must be said: a reference that expects nothing accepts nothing.
/// </summary>
public sealed record EnclaveReference
{
    private const int HashDigits = 64;

    /// <summary>Accepted MRENCLAVEs in hexadecimal digits; empty if the signer is what counts.</summary>
    public ImmutableArray<string> MrEnclave { get; init; } = [];

    /// <summary>Accepted MRSIGNERs in hexadecimal digits; empty if the measurement is what counts.</summary>
    public ImmutableArray<string> MrSigner { get; init; } = [];

    /// <summary>The signer's product (ISVPRODID). Needed with <see cref="MrSigner"/>: a signer may have others.</summary>
    public ushort? Product { get; init; }

    /// <summary>Least acceptable version (ISVSVN). Needed with <see cref="MrSigner"/>: old versions have known faults.</summary>
    public ushort? MinimumVersion { get; init; }

    /// <summary>The claims to compare, for a verifier.</summary>
    /// <exception cref="MalformedDataException">The reference is ambiguous or empty.</exception>
    public ImmutableArray<ReferenceValue> ToReferenceValues()
    {
        var values = ImmutableArray.CreateBuilder<ReferenceValue>();
        if (MrEnclave.IsEmpty && MrSigner.IsEmpty)
            throw Malformed("neither MRENCLAVE nor MRSIGNER is given: nothing would be compared");
        if (!MrEnclave.IsEmpty)
            values.Add(new ReferenceValue("body.mr_enclave", Hashes(MrEnclave, "MRENCLAVE")));
        if (!MrSigner.IsEmpty)
        {
            if (MrEnclave.IsEmpty && (Product is null || MinimumVersion is null))
                throw Malformed("MRSIGNER alone accepts every enclave of the signer: give product and least version too");
            values.Add(new ReferenceValue("body.mr_signer", Hashes(MrSigner, "MRSIGNER")));
        }

        if (Product is { } product)
            values.Add(new ReferenceValue("body.isv_prod_id", [LittleEndian(product)]));
        return values.ToImmutable();
    }

    /// <summary>The same way to judge, with this reference in place of its own.</summary>
    /// <exception cref="MalformedDataException">The reference is ambiguous or empty.</exception>
    public VerificationOptions Apply(VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var tcb = MinimumVersion is { } version ? options.Tcb with { MinimumGuestSvn = Math.Max(version, options.Tcb.MinimumGuestSvn) } : options.Tcb;
        return options with { References = ToReferenceValues(), Tcb = tcb };
    }

    private static ImmutableArray<string> Hashes(ImmutableArray<string> values, string name)
    {
        foreach (var value in values)
        {
            if (value.Length != HashDigits || !value.All(char.IsAsciiHexDigit))
                throw Malformed($"{name} \"{value}\" is not {HashDigits} hexadecimal digits");
        }

        return values;
    }

    private static string LittleEndian(ushort value) => ((ushort)((value << 8) | (value >> 8))).ToString("x4", CultureInfo.InvariantCulture);

    private static MalformedDataException Malformed(string reason) => new("enclave reference", -1, reason);
}
