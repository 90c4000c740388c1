using System.Security.Cryptography;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sealing;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Simulation;
using Kist.Enclaves.Tests.Signing;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Sealing;

public sealed class SealedBlobTests : IDisposable
{
    private readonly SimulatedProcessor _processor = new(SHA256.HashData("root"u8));
    private readonly SimulatedEnclave _one = Enclave("one", 1);
    private readonly SimulatedEnclave _newer = Enclave("newer", 2);

    public void Dispose() => _processor.Dispose();

    [Theory]
    [InlineData(KeyPolicy.MrEnclave)]
    [InlineData(KeyPolicy.MrSigner)]
    public void Unseal_BySameEnclave_GivesTheData(KeyPolicy policy)
    {
        var blob = Seal(policy);
        using var data = SealedBlob.Unseal(blob, "label"u8, r => _processor.Key(_one, r));
        Assert.Equal("a secret"u8, data.Span);
        Assert.Equal(-1, blob.AsSpan().IndexOf("a secret"u8));
    }

    [Fact]
    public void Unseal_DataOfAnotherEnclave_IsRefused()
    {
        var blob = Seal(KeyPolicy.MrEnclave);
        Assert.Throws<OperationFailedException>(() => SealedBlob.Unseal(blob, "label"u8, r => _processor.Key(_newer, r)));
    }

    [Fact]
    public void Unseal_SealedToSigner_IsReadByNewerVersionButNotByOlder()
    {
        using var data = SealedBlob.Unseal(Seal(KeyPolicy.MrSigner), "label"u8, r => _processor.Key(_newer, r));
        Assert.Equal("a secret"u8, data.Span);
        var newer = SealedBlob.Seal("a secret"u8, "label"u8, _newer.Secs, KeyPolicy.MrSigner, r => _processor.Key(_newer, r));
        Assert.Throws<ProcessorFaultException>(() => SealedBlob.Unseal(newer, "label"u8, r => _processor.Key(_one, r)));
    }

    [Fact]
    public void Unseal_OnAnotherMachine_OrForAnotherPurpose_IsRefused()
    {
        var blob = Seal(KeyPolicy.MrEnclave);
        using var other = new SimulatedProcessor(SHA256.HashData("another machine"u8));
        Assert.Throws<OperationFailedException>(() => SealedBlob.Unseal(blob, "label"u8, r => other.Key(_one, r)));
        Assert.Throws<OperationFailedException>(() => SealedBlob.Unseal(blob, "other"u8, r => _processor.Key(_one, r)));
    }

    [Fact]
    public void Unseal_AnyByteChanged_IsRefused()
    {
        var blob = Seal(KeyPolicy.MrEnclave);
        for (var offset = 0; offset < blob.Length; offset++)
        {
            var bad = (byte[])blob.Clone();
            bad[offset] ^= 1;
            var error = Assert.ThrowsAny<Exception>(() => SealedBlob.Unseal(bad, "label"u8, r => _processor.Key(_one, r)));
            Assert.True(error is MalformedDataException or OperationFailedException or ProcessorFaultException, $"offset {offset}: {error}");
        }
    }

    private byte[] Seal(KeyPolicy policy) => SealedBlob.Seal("a secret"u8, "label"u8, _one.Secs, policy, r => _processor.Key(_one, r));

    private static SimulatedEnclave Enclave(string content, ushort version)
    {
        var page = new byte[4096];
        System.Text.Encoding.ASCII.GetBytes(content).CopyTo(page, 0);
        var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, page, true)]);
        var fields = new SigstructFields { EnclaveHash = image.Measure(), IsvSvn = version };
        return SimulatedProcessor.Initialize(image, fields.Attributes, SigstructComposer.Sign(fields, SigningKeys.First));
    }
}
