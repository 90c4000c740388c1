using Kist.Enclaves.Runtime;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Tests.Signing;

namespace Kist.Enclaves.Tests.Runtime;

/// <summary>What was measured and signed is found again for exactly the same enclave and signer, and for nothing else.</summary>
public sealed class SignedEnclaveCacheTests : IDisposable
{
    private static readonly byte[] s_program = [1, 2, 3], s_manifest = [4, 5, 6], s_measurement = [.. Enumerable.Repeat((byte)7, 32)];

    private readonly string _directory = Path.Combine(Directory.CreateTempSubdirectory("kist-cache-").FullName, "signed");
    private readonly List<string> _notes = [];
    private int _measured;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_directory)!, recursive: true);

    [Fact]
    public void GetOrAdd_TheSameAgain_IsNeitherMeasuredNorSigned()
    {
        var first = Get();
        var second = Get();
        Assert.Equal(1, _measured);
        Assert.Equal(first.MrEnclave, second.MrEnclave);
        Assert.Equal(first.Sigstruct.Bytes.ToArray(), second.Sigstruct.Bytes.ToArray());
        Assert.Empty(_notes);
    }

    [Theory]
    [InlineData("program")]
    [InlineData("manifest")]
    [InlineData("debug")]
    [InlineData("signer")]
    public void GetOrAdd_AnythingElse_IsMeasuredAndSigned(string what)
    {
        Get();
        var other = SigningKeys.Second;
        var made = new SignedEnclaveCache(_directory, TimeProvider.System, _notes.Add).GetOrAdd(
            what == "program" ? [9] : s_program, what == "manifest" ? [9] : s_manifest, EnclaveContainer.FieldsOf(default, what == "debug"),
            what == "signer" ? other : SigningKeys.First, Measure);
        Assert.Equal(2, _measured);
        Assert.Null(SigstructVerifier.FindDefect(made.Sigstruct));
        Assert.Equal(2, Entries().Length);
    }

    [Fact]
    public void GetOrAdd_EntryChangedAtAnyByte_IsMadeAnew()
    {
        var genuine = Get();
        var path = Entries().Single();
        var bytes = File.ReadAllBytes(path);
        var key = File.ReadAllBytes(Path.Combine(_directory, "key"));
        var identity = bytes[12..44];
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 0x10;
            Assert.Throws<Kist.Formats.MalformedDataException>(() => SignedEnclave.Parse(changed, identity, SigningKeys.First.Modulus, key));
        }

        for (var length = 0; length < bytes.Length; length += 97)
            Assert.Throws<Kist.Formats.MalformedDataException>(() => SignedEnclave.Parse(bytes.AsSpan(0, length), identity, SigningKeys.First.Modulus, key));
        File.WriteAllBytes(path, [.. bytes[..1000], (byte)(bytes[1000] ^ 1), .. bytes[1001..]]);
        Assert.Equal(genuine.Sigstruct.Bytes.ToArray(), Get().Sigstruct.Bytes.ToArray());
        Assert.Equal(2, _measured);
        Assert.Contains("it was changed", Assert.Single(_notes), StringComparison.Ordinal);
        Get();
        Assert.Equal(2, _measured);
    }

    /// <summary>Entries are authentic one by one, and each for its own enclave only.</summary>
    [Fact]
    public void GetOrAdd_AnotherEnclavesEntryInItsPlace_IsMadeAnew()
    {
        Get();
        var mine = Entries().Single();
        Get(manifest: [8]);
        File.Copy(Entries().Single(e => e != mine), mine, overwrite: true);
        Get();
        Assert.Equal(3, _measured);
        Assert.Contains("it is another enclave's", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void GetOrAdd_KeyReplaced_TrustsNoOldEntry()
    {
        Get();
        File.WriteAllBytes(Path.Combine(_directory, "key"), new byte[32]);
        Get();
        Assert.Equal(2, _measured);
    }

    [Fact]
    public void GetOrAdd_OldAndSurplusEntries_AreRemoved()
    {
        Get();
        var old = Entries().Single();
        for (var i = 0; i < SignedEnclaveCache.MaxEntries + 3; i++)
        {
            var surplus = Path.Combine(_directory, $"{i:x64}.enclave");
            File.WriteAllBytes(surplus, []);
            File.SetLastWriteTimeUtc(surplus, Now.AddMinutes(-1 - i));
        }

        var abandoned = Path.Combine(_directory, "x.enclave.0.new");
        File.WriteAllBytes(abandoned, []);
        File.SetLastWriteTimeUtc(abandoned, Now.AddHours(-2));
        File.SetLastWriteTimeUtc(old, Now - SignedEnclaveCache.MaxAge - TimeSpan.FromMinutes(1));
        Get(manifest: [8]);
        Assert.False(File.Exists(old));
        Assert.False(File.Exists(abandoned));
        Assert.Equal(SignedEnclaveCache.MaxEntries, Entries().Length);
        Assert.True(File.Exists(Path.Combine(_directory, $"{0:x64}.enclave")));
    }

    [Fact]
    public async Task GetOrAdd_ByManyAtOnce_GivesAllTheSame()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Get().Sigstruct.Bytes.ToArray())));
        Assert.All(results, r => Assert.Equal(results[0], r));
        Assert.Single(Entries());
        Assert.Empty(_notes);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, "key")));
    }

    private static DateTime Now => TimeProvider.System.GetUtcNow().UtcDateTime;

    private SignedEnclave Get(byte[]? manifest = null) => new SignedEnclaveCache(_directory, TimeProvider.System, _notes.Add)
        .GetOrAdd(s_program, manifest ?? s_manifest, EnclaveContainer.FieldsOf(default, debug: false), SigningKeys.First, Measure);

    private byte[] Measure()
    {
        Interlocked.Increment(ref _measured);
        return s_measurement;
    }

    private string[] Entries() => Directory.GetFiles(_directory, "*.enclave");
}
