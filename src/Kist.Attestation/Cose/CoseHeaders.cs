using System.Collections.Immutable;
using System.Formats.Cbor;

namespace Kist.Attestation.Cose;

/// <summary>The protected header parameters that are used here (RFC 9052 section 3.1). Others are kept as encoded.</summary>
/// <param name="Algorithm">alg; 0 if it is absent or not a number, under which nothing verifies.</param>
/// <param name="Other">Every other parameter by its label ("#4" for kid) as encoded.</param>
internal sealed record CoseHeaders(long Algorithm, ImmutableDictionary<string, ReadOnlyMemory<byte>> Other)
{
    public static CoseHeaders None { get; } = new(0, ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty);

    public static CoseHeaders Read(CborReader reader, int algorithmLabel)
    {
        long algorithm = 0;
        var other = ImmutableDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        CborInput.ReadMap(reader, r =>
        {
            var key = CborInput.ReadKey(r);
            if (key == $"#{algorithmLabel}" && r.PeekState() is CborReaderState.NegativeInteger or CborReaderState.UnsignedInteger)
                algorithm = r.ReadInt64();
            else
                other[key] = r.ReadEncodedValue().ToArray();
        });
        return new CoseHeaders(algorithm, other.ToImmutable());
    }
}
