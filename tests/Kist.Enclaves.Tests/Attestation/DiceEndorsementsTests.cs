using System.Formats.Cbor;
using System.Text;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Formats;
using Kist.Simulator;

namespace Kist.Enclaves.Tests.Attestation;

/// <summary>Collateral in certificates: written as RATS-TLS reads it, read as anybody writes it.</summary>
public sealed class DiceEndorsementsTests
{
    private static readonly DcapCollateral s_collateral = SimulatedCollateral.Issue(SimulatedVendor.FromSeed(new byte[32]), SimulatedQuoter.Now)
        .Dcap.Single(p => p.Key.Tee == "sgx" && p.Key.Ca == PckCa.Platform).Value;

    [Fact]
    public void Parse_WhatWasEncoded_IsTheSame() => AssertSame(DiceEndorsements.Parse(DiceEndorsements.Encode(s_collateral)));

    /// <summary>Tag 60000, an array of 8, an integer of 32 bits (RATS-TLS takes no other), texts with the NUL of Intel's library.</summary>
    [Fact]
    public void Encode_Collateral_HasTheBytesOfTheForm()
    {
        var encoded = DiceEndorsements.Encode(s_collateral);
        Assert.Equal("d9ea60881a00010003", Convert.ToHexStringLower(encoded.AsSpan(0, 9)));
        var reader = new CborReader(encoded);
        reader.ReadTag();
        Assert.Equal(8, reader.ReadStartArray());
        reader.SkipValue();
        Assert.Equal([.. s_collateral.TcbInfo.Span, 0], reader.ReadByteString());
        Assert.Equal([.. s_collateral.TcbInfoIssuerChain.Span, 0], reader.ReadByteString());
        Assert.Equal(s_collateral.PckCrl.ToArray(), reader.ReadByteString());
        Assert.Equal(s_collateral.RootCaCrl.ToArray(), reader.ReadByteString());
    }

    [Fact]
    public void Parse_OtherWaysOfWriting_AreRead()
    {
        AssertSame(DiceEndorsements.Parse(Write([3], Hex(s_collateral.PckCrl), Hex(s_collateral.RootCaCrl), "2026-11-24T00:00:00Z\0"u8.ToArray())));
        AssertSame(DiceEndorsements.Parse(Write(null, [.. s_collateral.PckCrl.Span, 0], s_collateral.RootCaCrl.ToArray(), null)));
    }

    [Fact]
    public void Parse_TruncatedAnywhereOrLonger_IsMalformed()
    {
        var whole = DiceEndorsements.Encode(s_collateral);
        for (var length = 0; length < whole.Length; length += length < 16 ? 1 : 211)
            Assert.Throws<MalformedDataException>(() => DiceEndorsements.Parse(whole.AsMemory(0, length)));
        Assert.Throws<MalformedDataException>(() => DiceEndorsements.Parse((byte[])[.. whole, 0]));
        Assert.Throws<MalformedDataException>(() => DiceEndorsements.Parse(Write(null, [.. s_collateral.PckCrl.Span, 1], [], null)));
        Assert.Throws<MalformedDataException>(() => DiceEndorsements.Parse(new byte[DiceEndorsements.MaxSize + 1]));
    }

    private static byte[] Hex(ReadOnlyMemory<byte> der) => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(der.Span) + "\0");

    private static byte[] Write(byte[]? version, byte[] pckCrl, byte[] rootCrl, byte[]? madeAt)
    {
        var writer = new CborWriter();
        writer.WriteTag((CborTag)60000);
        writer.WriteStartArray(null);
        if (version is null)
            writer.WriteInt32(1);
        else
            writer.WriteByteString(version);
        foreach (var entry in new[] { s_collateral.TcbInfo, s_collateral.TcbInfoIssuerChain, pckCrl, rootCrl, s_collateral.PckCrlIssuerChain, s_collateral.QeIdentity, s_collateral.QeIdentityIssuerChain })
            writer.WriteByteString(entry.Span);
        if (madeAt is not null)
            writer.WriteByteString(madeAt);
        writer.WriteEndArray();
        return writer.Encode();
    }

    private static void AssertSame(DcapCollateral read)
    {
        Assert.Equal(s_collateral.TcbInfo.ToArray(), read.TcbInfo.ToArray());
        Assert.Equal(s_collateral.TcbInfoIssuerChain.ToArray(), read.TcbInfoIssuerChain.ToArray());
        Assert.Equal(s_collateral.PckCrl.ToArray(), read.PckCrl.ToArray());
        Assert.Equal(s_collateral.PckCrlIssuerChain.ToArray(), read.PckCrlIssuerChain.ToArray());
        Assert.Equal(s_collateral.RootCaCrl.ToArray(), read.RootCaCrl.ToArray());
        Assert.Equal(s_collateral.QeIdentity.ToArray(), read.QeIdentity.ToArray());
        Assert.Equal(s_collateral.QeIdentityIssuerChain.ToArray(), read.QeIdentityIssuerChain.ToArray());
    }
}
