using System.Security.Cryptography;
using System.Text.Json;
using CsCheck;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.Images.Ocicrypt;
using Kist.Images.Sealed;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

public sealed class SealedTests
{
    private const string KeyId = "kbs:///default/image-key/sealed";
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    /// <summary>IEEE 1619 appendix B, vector 10, whose 512 bytes begin every longer sector; the rest as openssl's EVP_aes_256_xts has it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AesXts_StandardVector_Matches(bool useInstructions)
    {
        Assert.SkipWhen(useInstructions && !System.Runtime.Intrinsics.X86.Aes.IsSupported, "no AES instructions here");
        using var xts = new AesXts(
            Convert.FromHexString("2718281828459045235360287471352662497757247093699959574966967627" + "3141592653589793238462643383279502884197169399375105820974944592"),
            useInstructions);
        byte[] plain = [.. Enumerable.Range(0, 4096).Select(i => (byte)i)];
        var data = (byte[])plain.Clone();
        xts.Encrypt(data, 0xff);
        Assert.Equal("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b", Convert.ToHexStringLower(data[..32]));
        Assert.Equal("d74aad83ceba041c9697f0cd1a0f94a1efd98cb9740ce630724e964be6b85436", Convert.ToHexStringLower(SHA256.HashData(data)));
        xts.Decrypt(data, 0xff);
        Assert.Equal(plain, data);
    }

    [Fact]
    public void AesXts_AnyKeyAndSector_EqualsTheOtherImplementation()
    {
        Assert.SkipWhen(!System.Runtime.Intrinsics.X86.Aes.IsSupported, "no AES instructions here");
        Gen.Select(Gen.Byte.Array[AesXts.KeySize], Gen.Byte.Array[2 * AesXts.SectorSize], Gen.ULong).Sample((key, plain, sector) =>
        {
            using var fast = new AesXts(key, useInstructions: true);
            using var library = new AesXts(key, useInstructions: false);
            var one = (byte[])plain.Clone();
            var other = (byte[])plain.Clone();
            fast.Encrypt(one, sector);
            library.Encrypt(other, sector);
            Assert.Equal(other, one);
            fast.Decrypt(one, sector);
            library.Decrypt(other, sector);
            Assert.Equal(plain, one);
            Assert.Equal(plain, other);
        }, iter: 50);
    }

    /// <summary>Sizes about the pieces that threads take in turns.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Blob_AnySize_HasTheDigestsItNames(int blocks)
    {
        ExternalProgram.Require("veritysetup");
        using var directory = new TemporaryDirectory();
        var plain = RandomNumberGenerator.GetBytes(blocks * 4096);
        var blob = SealFile(directory["one"], plain);
        Assert.Equal(Digest.Of(File.ReadAllBytes(directory["one"])), blob.Digest);
        Assert.Equal(new FileInfo(directory["one"]).Length, blob.Size);
        ExternalProgram.Run("veritysetup", ["verify", directory["one"], directory["one"], Convert.ToHexStringLower(blob.RootHash), $"--hash-offset={blob.DataBytes}"]);
        var data = File.ReadAllBytes(directory["one"])[..plain.Length];
        using (var xts = new AesXts(blob.Key))
            xts.Decrypt(data, 0);
        Assert.Equal(plain, data);

        Assert.Equal(blob.Digest, SealFile(directory["again"], plain).Digest);
        plain[^1] ^= 1;
        var other = SealFile(directory["other"], plain);
        Assert.NotEqual(blob.Key, other.Key);
        Assert.NotEqual(blob.Salt, other.Salt);
    }

    [Fact]
    public void Blob_WithRandomContext_SharesNoPublicByteStringWithAnother()
    {
        using var directory = new TemporaryDirectory();
        var plain = new byte[4 * 4096];
        SealFile(directory["one"], plain, [1]);
        SealFile(directory["two"], plain, [2]);
        var (one, two) = (File.ReadAllBytes(directory["one"]), File.ReadAllBytes(directory["two"]));
        for (var block = 0; block < 4; block++)
            Assert.NotEqual(one[(block * 4096)..(block * 4096 + 16)], two[(block * 4096)..(block * 4096 + 16)]);
        // The superblock's UUID and salt.
        Assert.NotEqual(one[(4 * 4096 + 16)..(4 * 4096 + 32)], two[(4 * 4096 + 16)..(4 * 4096 + 32)]);
        Assert.NotEqual(one[(4 * 4096 + 88)..(4 * 4096 + 120)], two[(4 * 4096 + 88)..(4 * 4096 + 120)]);
    }

    [Fact]
    public void ParallelPieces_OneFails_TheOthersEndAndItsErrorIsTold()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var following = new FollowingHash(hash, 100, 16, 4);
        var error = Assert.Throws<IOException>(() => ParallelPieces.Run(1600, 16, () => new FailingWorker(following, 3), TestContext.Current.CancellationToken));
        Assert.Equal("no more room", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(16384)]
    [InlineData(16385)]
    public void VerityTree_AnySize_EqualsVeritysetup(int blocks)
    {
        ExternalProgram.Require("veritysetup");
        using var directory = new TemporaryDirectory();
        var salt = RandomNumberGenerator.GetBytes(32);
        var data = RandomNumberGenerator.GetBytes(blocks * 4096);
        File.WriteAllBytes(directory["data"], data);
        var output = ExternalProgram.Run("veritysetup", ["format", directory["data"], directory["hash"], "--salt", Convert.ToHexStringLower(salt), "--uuid", "00000000-0000-0000-0000-000000000001"]);
        var leaves = new byte[blocks * 32];
        VerityTree.HashBlocks(data, salt, leaves);
        var (root, tree) = VerityTree.Build(leaves, salt);
        Assert.Contains(Convert.ToHexStringLower(root), output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(directory["hash"])[4096..], tree);
    }

    [Fact]
    public async Task Seal_Image_IsVerifiedByVeritysetupAndDecryptsToErofs()
    {
        ExternalProgram.Require("mkfs.erofs");
        ExternalProgram.Require("veritysetup");
        using var directory = new TemporaryDirectory();
        var sealedImage = await SealAsync(directory, "sealed");
        var (opened, digest) = await OpenAsync(directory, "sealed");
        Assert.Equal(sealedImage.Digest, digest);
        var fileSystem = Assert.Single(opened.Manifest.Blobs);
        var blob = directory[$"sealed/blobs/sha256/{fileSystem.Digest.Hex}"];
        ExternalProgram.Run("veritysetup", ["verify", blob, blob, Convert.ToHexStringLower(fileSystem.RootHash), $"--hash-offset={fileSystem.DataBytes}"]);

        var plain = (await File.ReadAllBytesAsync(blob, TestContext.Current.CancellationToken))[..(int)fileSystem.DataBytes];
        using (var xts = new AesXts(fileSystem.Key))
            xts.Decrypt(plain, 0);
        await File.WriteAllBytesAsync(directory["plain.erofs"], plain, TestContext.Current.CancellationToken);
        ExternalProgram.Run("fsck.erofs", [directory["plain.erofs"]]);
    }

    [Fact]
    public async Task Seal_Twice_GivesTheSameDigestUnlessNothingMayBeEqual()
    {
        ExternalProgram.Require("mkfs.erofs");
        using var directory = new TemporaryDirectory();
        var first = await SealAsync(directory, "first");
        var second = await SealAsync(directory, "second");
        var unlinkable = await SealAsync(directory, "third", new SealOptions { AllRoot = true, Dedupe = SealedDedupe.None });
        Assert.Equal(first.Digest, second.Digest);
        Assert.NotEqual(first.Blobs[0].Digest, unlinkable.Blobs[0].Digest);
    }

    [Fact]
    public async Task Open_Signed_NamesTheAuthor()
    {
        ExternalProgram.Require("mkfs.erofs");
        using var directory = new TemporaryDirectory();
        using var author = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        await SealAsync(directory, "signed", new SealOptions { AllRoot = true, Signer = author });
        await SealAsync(directory, "unsigned");
        Assert.Equal(EcJsonWebKey.FromPublicKey(author, null).Thumbprint(), (await OpenAsync(directory, "signed")).Opened.Author);
        Assert.Null((await OpenAsync(directory, "unsigned")).Opened.Author);
    }

    [Theory]
    [InlineData("another key", "open sealed image")]
    [InlineData("flip a bit of the envelope", "open sealed image")]
    [InlineData("rename the key", "open sealed image")]
    [InlineData("list another blob", "open sealed image")]
    [InlineData("list the blob twice", "open sealed image")]
    [InlineData("add a member to the envelope", "sealed envelope")]
    public async Task Open_Changed_IsRefused(string attack, string where)
    {
        ExternalProgram.Require("mkfs.erofs");
        using var directory = new TemporaryDirectory();
        await SealAsync(directory, "sealed");
        var key = attack == "another key" ? new byte[32] : s_key;
        SealedAttacks.Apply(attack, directory["sealed"]);
        var error = await Assert.ThrowsAnyAsync<Exception>(() => OpenAsync(directory, "sealed", key));
        Assert.Equal(where, error is OperationFailedException e ? e.Step : ((MalformedDataException)error).Structure);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Verify_BlobChangedAnywhere_FailsUnderTheRootHash(int part)
    {
        ExternalProgram.Require("mkfs.erofs");
        ExternalProgram.Require("veritysetup");
        using var directory = new TemporaryDirectory();
        await SealAsync(directory, "sealed");
        var (opened, _) = await OpenAsync(directory, "sealed");
        var fileSystem = opened.Manifest.Blobs[0];
        var path = directory[$"sealed/blobs/sha256/{fileSystem.Digest.Hex}"];
        var blob = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        // The first block of data, the last one, the tree.
        blob[part switch { 0 => 1024, 1 => (int)fileSystem.DataBytes - 1, _ => (int)fileSystem.TreeBlock * 4096 }] ^= 1;
        await File.WriteAllBytesAsync(path, blob, TestContext.Current.CancellationToken);
        var (exitCode, _, _) = ExternalProgram.TryRun("veritysetup", ["verify", path, path, Convert.ToHexStringLower(fileSystem.RootHash), $"--hash-offset={fileSystem.DataBytes}"]);
        Assert.NotEqual(0, exitCode);
    }

    [Fact]
    public void Tables_Text_IsWhatTheKernelReads()
    {
        var fileSystem = new SealedBlob
        {
            Cipher = "aes-xts-plain64",
            Digest = Digest.Of("x"u8),
            Size = 0,
            DataBlocks = 10,
            Key = [.. Enumerable.Repeat((byte)0xab, 64)],
            Salt = [1, 2],
            RootHash = [.. Enumerable.Repeat((byte)0xcd, 32)],
        };
        Assert.Equal(80UL, SealedDeviceTables.Sectors(fileSystem));
        Assert.Equal(
            $"1 /dev/vda /dev/vda 4096 4096 10 11 sha256 {string.Concat(Enumerable.Repeat("cd", 32))} 0102",
            System.Text.Encoding.ASCII.GetString(SealedDeviceTables.Verity(fileSystem, "/dev/vda")));
        Assert.Equal(
            $"aes-xts-plain64 {string.Concat(Enumerable.Repeat("ab", 64))} 0 /dev/dm-0 0 2 sector_size:4096 iv_large_sectors",
            System.Text.Encoding.ASCII.GetString(SealedDeviceTables.Crypt(fileSystem, "/dev/dm-0")));
    }

    private static SealedBlob SealFile(string path, byte[] plain, byte[]? context = null)
    {
        File.WriteAllBytes(path, plain);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        return SealedBlobWriter.Seal(file, s_key, context, TestContext.Current.CancellationToken);
    }

    private static async Task<SealedImage> SealAsync(TemporaryDirectory directory, string name, SealOptions? options = null)
    {
        if (!Directory.Exists(directory["tree"]))
        {
            SampleTree.Create(directory["tree"]);
            await ImageBuilder.BuildAsync([directory["tree"]], new OciLayout(directory["plain"], "1"), new ImageBuildOptions(), TestContext.Current.CancellationToken);
        }

        return await SealAsync(directory, "plain", name, options);
    }

    private static async Task<SealedImage> SealAsync(TemporaryDirectory directory, string source, string name, SealOptions? options = null)
    {
        options = (options ?? new SealOptions { AllRoot = true }) with { TemporaryDirectory = directory.Path };
        return await ImageSealer.SealAsync(
            new OciLayout(directory[source], "1"), [], new OciLayout(directory[name], "1"), KeyId, s_key, options, TestContext.Current.CancellationToken);
    }

    private static Task<(OpenedManifest Opened, Digest Digest)> OpenAsync(TemporaryDirectory directory, string name, byte[]? key = null) =>
        SealedImageReader.OpenAsync(new OciLayout(directory[name], "1"), new AnyKey(key ?? s_key), TestContext.Current.CancellationToken);

    private sealed class FailingWorker(FollowingHash following, long failing) : IPieceWorker
    {
        private byte[]? _buffer;

        public void Prepare() => _buffer ??= following.TakeBuffer();

        public void Work(long piece, long offset, int length)
        {
            if (piece == failing)
            {
                following.Abandon();
                throw new IOException("no more room");
            }

            following.Report(piece, _buffer!, length);
            _buffer = null;
        }

        public void Dispose()
        {
            if (_buffer is not null)
                following.Return(_buffer);
        }
    }

    private sealed class AnyKey(byte[] key) : ILayerKeyProvider
    {
        public Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken) => Task.FromResult((byte[])key.Clone());
    }
}
