using System.Security.Cryptography;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Simulation;
using Kist.Enclaves.Tests.Signing;

namespace Kist.Enclaves.Tests.Simulation;

public sealed class SimulatedProcessorTests : IDisposable
{
    private static readonly SgxAttributes s_attributes = new(EnclaveTraits.Mode64Bit, 3);
    private static readonly SimulatedEnclave s_first = Enclave("first", SigningKeys.First, product: 1, version: 2);
    private static readonly SimulatedEnclave s_newer = Enclave("newer", SigningKeys.First, product: 1, version: 3);
    private static readonly SimulatedEnclave s_otherSigner = Enclave("first", SigningKeys.Second, product: 1, version: 2);
    private static readonly SimulatedEnclave s_otherProduct = Enclave("first", SigningKeys.First, product: 2, version: 2);

    private readonly SimulatedProcessor _processor = new(SHA256.HashData("root"u8));

    public void Dispose() => _processor.Dispose();

    [Fact]
    public void Initialize_SignedEnclave_HasItsIdentity()
    {
        var secs = s_first.Secs;
        Assert.True(secs.Attributes.Flags.HasFlag(EnclaveTraits.Init));
        Assert.Equal(Image("first").Measure(), secs.MrEnclave);
        Assert.Equal(SigningKeys.First.MrSigner(), secs.MrSigner);
        Assert.Equal(1, secs.IsvProdId);
        Assert.Equal(2, secs.IsvSvn);
    }

    [Fact]
    public void Initialize_OtherPagesThanSigned_Faults()
    {
        var sigstruct = Sign(Image("first"), SigningKeys.First, 1, 2);
        var fault = Assert.Throws<ProcessorFaultException>(() => SimulatedProcessor.Initialize(Image("other"), s_attributes, sigstruct));
        Assert.Equal("EINIT", fault.Instruction);
    }

    [Fact]
    public void Initialize_DebugAsked_ForReleaseSignature_Faults()
    {
        var sigstruct = Sign(Image("first"), SigningKeys.First, 1, 2);
        Assert.Throws<ProcessorFaultException>(() => SimulatedProcessor.Initialize(
            Image("first"), s_attributes with { Flags = EnclaveTraits.Mode64Bit | EnclaveTraits.Debug }, sigstruct));
    }

    [Fact]
    public void Report_ForATarget_IsGenuineForItAndNobodyElse()
    {
        var target = TargetOf(s_newer);
        var report = _processor.Report(s_first, target, SHA512.HashData("data"u8));
        Assert.True(_processor.IsGenuine(report, target));
        Assert.False(_processor.IsGenuine(report, TargetOf(s_first)));
        using var other = new SimulatedProcessor(SHA256.HashData("another processor"u8));
        Assert.False(other.IsGenuine(report, target));
    }

    [Fact]
    public void IsGenuine_AnyByteOfTheReportChanged_IsFalse()
    {
        var target = TargetOf(s_newer);
        var good = _processor.Report(s_first, target, new byte[64]).Bytes.ToArray();
        for (var offset = 0; offset < good.Length; offset++)
        {
            var bad = (byte[])good.Clone();
            bad[offset] ^= 1;
            Report report;
            try
            {
                report = Report.Parse(bad);
            }
            catch (Kist.Formats.MalformedDataException)
            {
                continue;
            }

            Assert.False(_processor.IsGenuine(report, target), $"a change at offset {offset} passed");
        }
    }

    [Fact]
    public void Key_SealToEnclave_IsThatEnclavesAlone()
    {
        var request = Request(KeyPolicy.MrEnclave);
        var key = _processor.Key(s_first, request);
        Assert.Equal(16, key.Length);
        Assert.Equal(key, _processor.Key(s_first, request));
        Assert.NotEqual(key, _processor.Key(s_newer, request));
        using var restarted = new SimulatedProcessor(SHA256.HashData("root"u8));
        Assert.Equal(key, restarted.Key(s_first, request));
        using var other = new SimulatedProcessor(SHA256.HashData("another processor"u8));
        Assert.NotEqual(key, other.Key(s_first, request));
    }

    [Fact]
    public void Key_SealToSigner_IsSharedByVersionsButNotProductsOrSigners()
    {
        var request = Request(KeyPolicy.MrSigner);
        var key = _processor.Key(s_first, request);
        Assert.Equal(key, _processor.Key(s_newer, request));
        Assert.NotEqual(key, _processor.Key(s_otherSigner, request));
        Assert.NotEqual(key, _processor.Key(s_otherProduct, request));
    }

    [Fact]
    public void Key_OfANewerVersion_IsRefusedToTheOlder()
    {
        var request = Request(KeyPolicy.MrSigner, version: 3);
        Assert.Throws<ProcessorFaultException>(() => _processor.Key(s_first, request));
        Assert.NotEqual(_processor.Key(s_newer, request), _processor.Key(s_newer, Request(KeyPolicy.MrSigner)));
    }

    [Fact]
    public void Key_WithoutTheAttributeForIt_Faults()
    {
        Assert.Throws<ProcessorFaultException>(() => _processor.Key(s_first, new KeyRequest { KeyName = KeyName.Provision }));
        Assert.Throws<ProcessorFaultException>(() => _processor.Key(s_first, new KeyRequest { KeyName = KeyName.EInitToken }));
        Assert.Throws<ProcessorFaultException>(() => _processor.Key(s_first, Request(KeyPolicy.ConfigId)));
        Assert.Throws<ProcessorFaultException>(() => _processor.Key(s_first, new KeyRequest { KeyName = KeyName.Seal, CpuSvn = Enumerable.Repeat((byte)2, 16).ToArray() }));
    }

    [Fact]
    public void Key_DebugEnclave_HasOtherSealingKey()
    {
        var fields = new SigstructFields
        {
            EnclaveHash = Image("first").Measure(),
            Attributes = s_attributes with { Flags = EnclaveTraits.Mode64Bit | EnclaveTraits.Debug },
            IsvProdId = 1,
            IsvSvn = 2,
        };
        var debug = SimulatedProcessor.Initialize(Image("first"), fields.Attributes, SigstructComposer.Sign(fields, SigningKeys.First));
        Assert.NotEqual(_processor.Key(s_first, Request(KeyPolicy.MrEnclave)), _processor.Key(debug, Request(KeyPolicy.MrEnclave)));
    }

    private static KeyRequest Request(KeyPolicy policy, ushort version = 0) => new() { KeyName = KeyName.Seal, KeyPolicy = policy, IsvSvn = version };

    private static TargetInfo TargetOf(SimulatedEnclave enclave) => new()
    {
        MrEnclave = enclave.Secs.MrEnclave,
        Attributes = enclave.Secs.Attributes,
        MiscSelect = enclave.Secs.MiscSelect,
    };

    private static SimulatedEnclave Enclave(string content, EnclaveSigningKey key, ushort product, ushort version) =>
        SimulatedProcessor.Initialize(Image(content), s_attributes, Sign(Image(content), key, product, version));

    private static Sigstruct Sign(EnclaveImage image, EnclaveSigningKey key, ushort product, ushort version) => SigstructComposer.Sign(
        new SigstructFields { EnclaveHash = image.Measure(), Attributes = s_attributes, IsvProdId = product, IsvSvn = version }, key);

    private static EnclaveImage Image(string content)
    {
        var page = new byte[4096];
        System.Text.Encoding.ASCII.GetBytes(content).CopyTo(page, 0);
        return new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, page, true)]);
    }
}
