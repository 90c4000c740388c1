using Kist.Enclaves.Images;
using Kist.Enclaves.Loading;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Tests.Images;
using Kist.Enclaves.Tests.Signing;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Devices;
using Kist.Linux.Enclaves;
using Kist.Measurement.Sgx;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Tests.Loading;

public sealed class EnclaveLoaderTests
{
    private const ulong Base = 0x7f0000000000;

    /// <summary>The device measures what it is given as the processor does: the loader must give what was signed.</summary>
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(3)]
    [InlineData(1)]
    public void Load_ElfEnclave_IsMeasuredAsSignedEvenIfInterrupted(int pagesAtOnce)
    {
        var enclave = ElfEnclave.Parse(SampleElf.Build());
        using var device = new FakeDevice { PagesAtOnce = pagesAtOnce };
        Loader(device).Load(enclave.Image, Base, enclave.Attributes, Sign(enclave.Image, enclave.Attributes));
        Assert.True(device.IsInitialized);
        Assert.False(device.MayProvision);
        Assert.Equal(Base, device.Secs!.BaseAddress);
    }

    [Fact]
    public void Load_EnclaveThatProvisions_AsksForTheRightFirst()
    {
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
        var attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.ProvisionKey, 3);
        using var device = new FakeDevice();
        Loader(device).Load(image, Base, attributes, Sign(image, attributes));
        Assert.True(device.MayProvision);
    }

    [Fact]
    public void Load_OtherImageThanSigned_IsRefusedInTheProcessorsWords()
    {
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
        var other = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadWritePage, default, true)]);
        var attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 3);
        using var device = new FakeDevice();
        var error = Assert.Throws<OperationFailedException>(() => Loader(device).Load(other, Base, attributes, Sign(image, attributes)));
        Assert.Contains("SGX_INVALID_MEASUREMENT", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Kernels since 5.11 give EPERM and not the processor's code.</summary>
    [Fact]
    public void Load_KernelSaysEperm_IsExplained()
    {
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
        var attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 3);
        using var device = new FakeDevice { RefusesLikeTheKernel = true };
        var error = Assert.Throws<OperationFailedException>(() => Loader(device).Load(image, Base, attributes, Sign(image, attributes)));
        Assert.Contains("measurement, signature or attributes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_DeviceThatAddsNothingOrTooMuch_EndsWithAnError()
    {
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
        var attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 3);
        var sigstruct = Sign(image, attributes);
        using var idle = new FakeDevice { PagesAtOnce = 0 };
        using var liar = new FakeDevice { Lies = true };
        Assert.Contains("adds nothing", Assert.Throws<OperationFailedException>(
            () => Loader(idle).Load(image, Base, attributes, sigstruct)).Message, StringComparison.Ordinal);
        Assert.Throws<OperationFailedException>(() => Loader(liar).Load(image, Base, attributes, sigstruct));
    }

    [Fact]
    public void Load_BaseThatIsNotAligned_IsRefusedBeforeTheDeviceIsAsked()
    {
        var image = new EnclaveImage(0x4000, 1, []);
        var attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 3);
        using var device = new FakeDevice();
        Assert.Throws<MalformedDataException>(() => Loader(device).Load(image, Base + 0x1000, attributes, Sign(image, attributes)));
        Assert.Null(device.Secs);
    }

    private static EnclaveLoader Loader(FakeDevice device) => new(device, () => File.OpenHandle("/dev/null"));

    internal static Sigstruct Sign(EnclaveImage image, SgxAttributes attributes) =>
        SigstructComposer.Sign(new SigstructFields { EnclaveHash = image.Measure(), Attributes = attributes }, SigningKeys.First);

    internal sealed class FakeDevice : ISgxDevice, IDisposable
    {
        private EnclaveMeasurer? _measurer;

        public int PagesAtOnce { get; init; } = int.MaxValue;

        public bool Lies { get; init; }

        public bool RefusesLikeTheKernel { get; init; }

        public List<(ulong Offset, ulong Length, int Protection)> Mappings { get; } = [];

        public Secs? Secs { get; private set; }

        public bool MayProvision { get; private set; }

        public bool IsInitialized { get; private set; }

        public void Dispose() => _measurer?.Dispose();

        public void Create(ReadOnlySpan<byte> secs)
        {
            Secs = Secs.Parse(secs);
            _measurer = EnclaveMeasurer.Create(Secs.EnclaveSize, Secs.SsaFrameSize);
        }

        public long AddPages(ReadOnlySpan<byte> content, ulong offset, ReadOnlySpan<byte> secInfo, bool measure)
        {
            if (Lies)
                return content.Length + 4096;
            var flags = SecInfo.Parse(secInfo).Flags;
            var pages = Math.Min(content.Length / 4096, PagesAtOnce);
            for (var i = 0; i < pages; i++)
            {
                var at = offset + ((ulong)i * 4096);
                if (measure)
                    _measurer!.AddMeasuredPage(at, flags, content.Slice(i * 4096, 4096));
                else
                    _measurer!.AddPage(at, flags);
            }

            return pages * 4096L;
        }

        public void AllowProvisioning(SafeFileHandle provisionDevice) => MayProvision = !provisionDevice.IsInvalid;

        public void Map(EnclaveRange range, ulong offset, ulong length, int protection) => Mappings.Add((offset, length, protection));

        public int Initialize(ReadOnlySpan<byte> sigstruct)
        {
            if (RefusesLikeTheKernel)
                throw new SystemCallException("EINIT", "/dev/sgx_enclave", Errno.EPERM);
            var parsed = Sigstruct.Parse(sigstruct);
            if (!parsed.EnclaveHash.SequenceEqual(_measurer!.MrEnclave()))
                return 4;
            IsInitialized = SigstructVerifier.FindDefect(parsed) is null;
            return IsInitialized ? 0 : 8;
        }
    }
}
