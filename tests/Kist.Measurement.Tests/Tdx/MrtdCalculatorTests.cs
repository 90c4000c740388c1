using Kist.Formats;
using Kist.Measurement.Firmware;
using Kist.Measurement.Tdx;
using Kist.Testing;

namespace Kist.Measurement.Tests.Tdx;

public sealed class MrtdCalculatorTests
{
    // Debian bookworm, package ovmf 2022.11-6+deb12u2. The digests come from a second implementation, written apart from
    // this one in Python (tests/vectors/SOURCES.md).
    private const string DebianOvmf = "/usr/share/ovmf/OVMF.fd";
    private const string DebianOvmfSha256 = "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773";

    [Theory]
    [InlineData(MrtdVariant.SinglePass, "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47")]
    [InlineData(MrtdVariant.TwoPass, "acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924cba830a724eed443f7e1")]
    public void Compute_DebiansOvmf_AgreesWithTheSecondImplementation(MrtdVariant variant, string expected)
    {
        Assert.SkipUnless(File.Exists(DebianOvmf), $"the package ovmf is not installed: {DebianOvmf}");
        var bytes = File.ReadAllBytes(DebianOvmf);
        Assert.SkipUnless(HashValue.Sha256(bytes).ToString() == DebianOvmfSha256, "another version of the package ovmf is installed");
        Assert.Equal(expected, MrtdCalculator.Compute(OvmfImage.Parse(bytes), variant).ToString());
    }

    // Debian sid, package ovmf-inteltdx 2026.08+ds-2.
    [Theory]
    [InlineData(MrtdVariant.SinglePass, "a7a1f751abc454f9cbab198ca8d2edb2821935df525c74182b5e776cb0929e8c59aefecce725b0d08a5e9d3d3183bd08")]
    [InlineData(MrtdVariant.TwoPass, "b90b236113eb4c0d4df4ef590568c14e6028a3a31d7e8ac63dee9845df5008d3ebf82d4f5974e933798f65d7a279b9a9")]
    public void Compute_DebiansOvmfForTdx_AgreesWithTheSecondImplementation(MrtdVariant variant, string expected) => Assert.Equal(
        expected,
        MrtdCalculator.Compute(OvmfImage.Parse(DebianFirmware.Read("OVMF.inteltdx.ms.fd", "a265075b4147a096109e501e76196df1ec8a18659c26f7401492c597ec88f312")), variant).ToString());

    [Fact]
    public void Compute_CodeWithoutItsVariables_IsRefusedAsOutsideTheImage()
    {
        var code = Evidence.Read("launch/snp/svsm_ovmf.fd");
        Assert.Throws<MalformedDataException>(() => MrtdCalculator.Compute(OvmfImage.Parse(code), MrtdVariant.SinglePass));
        byte[] flash = [.. new byte[0x84000], .. code];
        Assert.Equal(
            "e33f9524ac332b8fc9e51169a45cf470c89efe090cd810699f0b6c248e9995a412891be7e5b47c3de6982be22fc58a23",
            MrtdCalculator.Compute(OvmfImage.Parse(flash), MrtdVariant.SinglePass).ToString());
    }

    [Fact]
    public void Compute_MeasuredSectionLongerThanItsData_MeasuresZeros()
    {
        var shorter = Image((0, 0x1800, 0xffff0000, 0x3000, 0, 1));
        var padded = Image((0, 0x3000, 0xffff0000, 0x3000, 0, 1));
        padded.AsSpan(0x1800, 0x1800).Clear();
        shorter.AsSpan(0x1800, 0x1800).Clear();
        Assert.Equal(Compute(shorter), Compute(padded));
        padded[0x2fff] = 1;
        Assert.NotEqual(Compute(shorter), Compute(padded));
    }

    [Fact]
    public void Compute_PagesAddedLater_AreNotMeasured()
    {
        var without = Image((0, 0x1000, 0xffff0000, 0x1000, 0, 1));
        var with = Image((0, 0x1000, 0xffff0000, 0x1000, 0, 1), (0, 0, 0x100000000, 0x4000000000, 4, 2));
        Assert.Equal(Compute(without), Compute(with));
    }

    [Fact]
    public void Compute_WithoutTdxMetadata_SaysSo()
    {
        var image = OvmfImage.Parse(new SyntheticOvmf().Build());
        var error = Assert.Throws<OperationFailedException>(() => MrtdCalculator.Compute(image, MrtdVariant.SinglePass));
        Assert.Equal("firmware", error.Subject);
    }

    private static byte[] Image(params (uint, uint, ulong, ulong, uint, uint)[] sections) =>
        new SyntheticOvmf { Tdvf = [.. sections] }.Build();

    private static HashValue Compute(byte[] image) => MrtdCalculator.Compute(OvmfImage.Parse(image), MrtdVariant.SinglePass);
}
