using Kist.Measurement.Firmware;
using Kist.Measurement.Sev;
using Kist.Testing;

namespace Kist.Measurement.Tests.Sev;

public sealed class VmsaPageTests
{
    [Fact]
    public void RealMode_EsGuestOfSevctl_IsItsPageByteForByte() => Assert.Equal(
        Evidence.Read("launch/sevctl-vmsa0.bin"),
        VmsaPage.RealMode(VmsaPage.ResetVector, 0, CpuSignature.Of(25, 1, 1), VmmType.Qemu, KernelGeneration.BeforeInit2));

    [Theory]
    [InlineData("EPYC-v4", 0x800f12)]
    [InlineData("EPYC-Rome", 0x830f10)]
    [InlineData("epyc-milan-v2", 0xa00f11)]
    [InlineData("EPYC-Genoa-v1", 0xa10f10)]
    [InlineData("EPYC-Turin", 0xb00f00)]
    public void CpuSignature_OfQemusModels_IsThePublishedOne(string name, uint signature) => Assert.Equal(signature, CpuSignature.Find(name));

    [Theory]
    [InlineData("EPYC-")]
    [InlineData("EPYC-vx")]
    [InlineData("Skylake")]
    [InlineData("")]
    public void CpuSignature_OfOtherNames_IsNotKnown(string name) => Assert.Null(CpuSignature.Find(name));

    [Fact]
    public void TrimmedFirmwareOfSevctl_HasHashTableAndResetBlock()
    {
        var firmware = OvmfImage.Parse(Evidence.Read("launch/sevctl-ovmf-amdsev-el9-trimmed.fd"));
        Assert.NotNull(firmware.ReadSevHashTableAddress());
        Assert.NotNull(firmware.ReadSevEsResetAddress());
    }
}
