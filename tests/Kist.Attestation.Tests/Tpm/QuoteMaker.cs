using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kist.Attestation.Tests.Tpm;

/// <summary>Makes quotes as a TPM would, with keys of .NET.</summary>
internal static class QuoteMaker
{
    public static readonly string[] Registers = [.. Enumerable.Range(0, 24).Select(i => Convert.ToHexStringLower(SHA256.HashData([(byte)i])))];

    public static byte[] Message(byte[] extraData, string[] registers, params int[] selected)
    {
        using var stream = new MemoryStream();
        stream.Write([0xFF, 0x54, 0x43, 0x47, 0x80, 0x18]);
        Sized(stream, [0x00, 0x0B, .. new byte[32]]);
        Sized(stream, extraData);
        stream.Write(new byte[16]);
        stream.WriteByte(1);
        stream.Write(new byte[8]);
        stream.Write([0, 0, 0, 1, 0x00, 0x0B, 3]);
        var bits = new byte[3];
        foreach (var i in selected)
            bits[i / 8] |= (byte)(1 << (i % 8));
        stream.Write(bits);
        Sized(stream, SHA256.HashData([.. selected.Order().SelectMany(i => Convert.FromHexString(registers[i]))]));
        return stream.ToArray();
    }

    public static byte[] Sign(RSA key, byte[] message, RSASignaturePadding padding)
    {
        using var stream = new MemoryStream();
        stream.Write([0x00, (byte)(padding == RSASignaturePadding.Pss ? 0x16 : 0x14), 0x00, 0x0B]);
        Sized(stream, key.SignData(message, HashAlgorithmName.SHA256, padding));
        return stream.ToArray();
    }

    public static byte[] Sign(ECDsa key, byte[] message)
    {
        using var stream = new MemoryStream();
        stream.Write([0x00, 0x18, 0x00, 0x0B]);
        var rs = key.SignData(message, HashAlgorithmName.SHA256);
        Sized(stream, rs.AsSpan(0, rs.Length / 2).TrimStart((byte)0).ToArray());
        Sized(stream, rs.AsSpan(rs.Length / 2).TrimStart((byte)0).ToArray());
        return stream.ToArray();
    }

    public static JsonElement Evidence(byte[] spki, byte[] message, byte[] signature, string[] registers, string? certificates = null)
    {
        var json = new JsonObject
        {
            ["ak_public"] = Convert.ToBase64String(spki),
            ["tpm_quote"] = new JsonObject
            {
                ["message"] = Convert.ToBase64String(message),
                ["signature"] = Convert.ToBase64String(signature),
                ["pcrs"] = new JsonArray([.. registers.Select(r => (JsonNode)r!)]),
            },
        };
        if (certificates is not null)
            json["ak_certificates"] = certificates;
        using var document = JsonDocument.Parse(json.ToJsonString());
        return document.RootElement.Clone();
    }

    public static VerificationOptions Pin(byte[] spki) => new()
    {
        Time = DateTimeOffset.UnixEpoch.AddYears(56),
        Anchors = new TrustAnchorSet([new TrustAnchor("tpm", "test AK", [.. SHA256.HashData(spki)], false, "this test")]),
    };

    private static void Sized(Stream stream, byte[] bytes)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)bytes.Length);
        stream.Write(length);
        stream.Write(bytes);
    }
}
