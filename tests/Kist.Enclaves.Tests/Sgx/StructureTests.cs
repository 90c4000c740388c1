using System.Security.Cryptography;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Sgx;

public sealed class StructureTests
{
    private static readonly byte[] s_hash = SHA256.HashData("enclave"u8);
    private static readonly byte[] s_signer = SHA256.HashData("signer"u8);

    [Fact]
    public void Secs_ComposedAndParsed_HasItsFieldsAtTheirOffsets()
    {
        var secs = new Secs
        {
            EnclaveSize = 0x40000,
            BaseAddress = 0x80000,
            SsaFrameSize = 2,
            MiscSelect = 1,
            Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 7),
            MrEnclave = s_hash,
            MrSigner = s_signer,
            IsvProdId = 0x1234,
            IsvSvn = 0x5678,
            ConfigSvn = 9,
        };
        Assert.Equal(0x40000u, BitConverter.ToUInt64(secs.Bytes));
        Assert.Equal(2u, BitConverter.ToUInt32(secs.Bytes[16..]));
        Assert.Equal(4u, BitConverter.ToUInt64(secs.Bytes[48..]));
        Assert.Equal(s_hash, secs.Bytes[64..96]);
        Assert.Equal(s_signer, secs.Bytes[128..160]);
        Assert.Equal(0x1234, BitConverter.ToUInt16(secs.Bytes[256..]));
        Assert.Equal(secs.Bytes, Secs.Parse(secs.Bytes).Bytes);
    }

    [Theory]
    [InlineData(0, 1, "SIZE")]
    [InlineData(8, 1, "BASEADDR")]
    [InlineData(24, 1, "reserved")]
    [InlineData(96, 1, "reserved")]
    [InlineData(191, 1, "reserved")]
    [InlineData(4095, 1, "reserved")]
    public void Secs_OneWrongByte_IsRefusedByName(int offset, byte value, string field)
    {
        var bytes = new Secs { EnclaveSize = 0x2000, SsaFrameSize = 1 }.Bytes.ToArray();
        bytes[offset] = value;
        Assert.Contains(field, Assert.Throws<MalformedDataException>(() => Secs.Parse(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Composed_IsParsedWithTheSameFields()
    {
        var body = new ReportBody
        {
            CpuSvn = s_hash.AsSpan(0, 16),
            MiscSelect = 1,
            IsvExtProdId = s_hash.AsSpan(16, 16),
            Attributes = new SgxAttributes(EnclaveTraits.Init | EnclaveTraits.Mode64Bit | EnclaveTraits.Kss, 0xe7),
            MrEnclave = s_hash,
            MrSigner = s_signer,
            ConfigId = SHA512.HashData("configuration"u8),
            IsvProdId = 1,
            IsvSvn = 2,
            ConfigSvn = 3,
            IsvFamilyId = s_signer.AsSpan(0, 16),
            ReportData = SHA512.HashData("nonce"u8),
        };
        var report = new Report(body, s_hash, s_signer.AsSpan(16));
        var parsed = Report.Parse(report.Bytes);
        Assert.Equal(432, report.Bytes.Length);
        Assert.Equal(body.Bytes, parsed.Body.Bytes);
        Assert.Equal(SHA512.HashData("nonce"u8), parsed.Body.ReportData);
        Assert.Equal(s_signer.AsSpan(16), parsed.Mac);

        var target = TargetInfo.Parse(TargetInfo.Of(parsed.Body).Bytes);
        Assert.Equal(s_hash, target.MrEnclave);
        Assert.Equal(body.Attributes, target.Attributes);
        Assert.Equal(3, target.ConfigSvn);
        Assert.Equal(1u, target.MiscSelect);
    }

    [Fact]
    public void KeyRequest_UnknownPolicy_IsRefused()
    {
        var request = new KeyRequest { KeyName = KeyName.Seal, KeyPolicy = KeyPolicy.MrSigner, IsvSvn = 4, KeyId = s_hash };
        Assert.Equal(KeyPolicy.MrSigner, KeyRequest.Parse(request.Bytes).KeyPolicy);
        var bytes = request.Bytes.ToArray();
        bytes[2] = 0x40;
        Assert.Throws<MalformedDataException>(() => KeyRequest.Parse(bytes));
    }

    [Fact]
    public void Parse_AnyOtherLength_IsRefused()
    {
        for (var length = 0; length < 600; length++)
        {
            var bytes = new byte[length];
            if (length != TargetInfo.SizeInBytes)
            {
                Assert.Throws<MalformedDataException>(() => TargetInfo.Parse(bytes));
                Assert.Throws<MalformedDataException>(() => KeyRequest.Parse(bytes));
            }

            if (length != Report.SizeInBytes)
                Assert.Throws<MalformedDataException>(() => Report.Parse(bytes));
            if (length != ReportBody.SizeInBytes)
                Assert.Throws<MalformedDataException>(() => ReportBody.Parse(bytes));
        }
    }
}
