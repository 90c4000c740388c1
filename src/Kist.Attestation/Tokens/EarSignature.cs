using System.Text.Json;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Attestation.Tokens;

/// <summary>A token's signature and the key that its header offers for it, of a JWT or a CWT.</summary>
internal sealed class EarSignature
{
    private const string Structure = "attestation result token";
    private const int ChainLimit = 8;

    private readonly JwsToken? _jws;
    private readonly CoseSign1? _cose;

    private EarSignature(JwsToken? jws, CoseSign1? cose)
    {
        _jws = jws;
        _cose = cose;
    }

    public ReadOnlyMemory<byte> Payload => _jws?.Payload ?? _cose!.Payload;

    public bool IsCbor => _cose is not null;

    public string Algorithm => _jws?.Algorithm ?? _cose!.AlgorithmName;

    /// <summary>"jwk" of the header, or null.</summary>
    public JsonWebKey? HeaderKey => _jws is { } jws && EvidenceJson.Optional(jws.Header, "jwk", Structure) is { } jwk ? JsonWebKey.Parse(jwk) : null;

    /// <summary>True if certificates in the header are in base64url instead of RFC 7517's base64.</summary>
    public bool HasOddChainEncoding { get; private set; }

    public static EarSignature Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span is [0xD2 or 0x84, ..])
            return new EarSignature(null, CoseSign1.Parse(bytes));
        if (!System.Text.Ascii.IsValid(bytes.Span))
            throw new MalformedDataException(Structure, 0, "it is neither a JWT nor a COSE_Sign1");
        return new EarSignature(JwsToken.Parse(System.Text.Encoding.ASCII.GetString(bytes.Span).Trim()), null);
    }

    /// <summary>"x5c" of the header's key, or of the header itself: leaf first. Empty if there is none.</summary>
    public IReadOnlyList<Certificate> HeaderChain()
    {
        if (_jws is null)
            return [];
        var holder = EvidenceJson.Optional(_jws.Header, "jwk", Structure) ?? _jws.Header;
        if ((EvidenceJson.Optional(holder, "x5c", Structure) ?? EvidenceJson.Optional(_jws.Header, "x5c", Structure)) is not { } x5c)
            return [];
        if (x5c.ValueKind != JsonValueKind.Array || x5c.GetArrayLength() > ChainLimit)
            throw new MalformedDataException(Structure, -1, $"x5c is not an array of at most {ChainLimit}");
        return [.. x5c.EnumerateArray().Select(c => Certificate.Parse(Decode(c)))];
    }

    public bool Verify(JsonWebKey key) => _jws?.Verify(key) ?? false;

    public bool Verify(PublicKey key) => _cose?.Verify(key) ?? false;

    private byte[] Decode(JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
            throw new MalformedDataException(Structure, -1, "x5c holds something other than strings");
        if (text.TryGetBytesFromBase64(out var bytes))
            return bytes;
        HasOddChainEncoding = true;
        return Base64Url.Decode(text.GetString()!.TrimEnd('='), EvidenceLimits.CertificateChain, "x5c");
    }
}
