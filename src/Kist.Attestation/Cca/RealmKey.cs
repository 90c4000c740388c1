using System.Security.Cryptography;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;

namespace Kist.Attestation.Cca;

/// <summary>The realm attestation key, in either of its encodings, and its hash.</summary>
internal static class RealmKey
{
    private const int PointSize = 97;

    /// <summary>Reads an uncompressed P-384 point, or a COSE_Key (RFC 9053 section 7.1.1). Null if it is neither.</summary>
    public static PublicKey? Parse(ReadOnlyMemory<byte> encoded) => encoded.Span is [0x04, ..] && encoded.Length == PointSize
        ? PublicKey.FromP384(encoded.Span[1..])
        : CborInput.Read(encoded, "COSE_Key", reader =>
        {
            long type = 0, curve = 0;
            byte[] x = [], y = [];
            CborInput.ReadMap(reader, r =>
            {
                switch (CborInput.ReadKey(r))
                {
                    case "#1": type = r.ReadInt64(); break;
                    case "#-1": curve = r.ReadInt64(); break;
                    case "#-2": x = r.ReadByteString(); break;
                    case "#-3": y = r.ReadByteString(); break;
                    default: r.SkipValue(); break;
                }
            });
            return (type, curve, x.Length, y.Length) switch
            {
                (2, 1, 32, 32) => PublicKey.FromP256([.. x, .. y]),
                (2, 2, 48, 48) => PublicKey.FromP384([.. x, .. y]),
                _ => null,
            };
        });

    /// <summary>The hash of the key as encoded, or null for an algorithm that is not known.</summary>
    public static byte[]? Hash(ReadOnlySpan<byte> encoded, string algorithm) => algorithm switch
    {
        "sha-256" => SHA256.HashData(encoded),
        "sha-384" => SHA384.HashData(encoded),
        "sha-512" => SHA512.HashData(encoded),
        _ => null,
    };
}
