using System.Text;
using Kist.Enclaves.Manifests;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Manifests;

public sealed class EnclaveManifestTests
{
    internal static readonly EnclaveManifest Sample = new()
    {
        Version = 1,
        ImageDigest = "sha256:" + new string('a', 64),
        Process = new ManifestProcess
        {
            Args = ["/bin/sh", "-c", "echo \"a b\"\tß"],
            Env = ["PATH=/bin", "EMPTY="],
            Cwd = "/",
            Uid = 0,
            Gid = 0,
            AdditionalGids = [5],
            Capabilities = ["CAP_CHOWN", "CAP_KILL"],
            Terminal = false,
        },
        Exec = [["/bin/date"]],
        Files =
        [
            new ManifestFile { Path = "/", Type = ManifestFileType.Directory, Uid = 0, Gid = 0, Mode = 0x1ed },
            new ManifestFile { Path = "/bin", Type = ManifestFileType.Directory, Uid = 0, Gid = 0, Mode = 0x1ed },
            new ManifestFile { Path = "/bin/sh", Type = ManifestFileType.File, Uid = 0, Gid = 0, Mode = 0x1ed, Size = 3, Modified = 1, Sha256 = new string('b', 64) },
            new ManifestFile { Path = "/lib", Type = ManifestFileType.Link, Uid = 0, Gid = 0, Mode = 0, Target = "usr/lib" },
        ],
        Mounts = [new ManifestMount { Destination = "/proc", Type = "proc", Options = ["nosuid"] }],
        ReadOnlyRoot = false,
        Limits = new ManifestLimits { RootBytes = 1 << 20, OpenFiles = 100 },
    };

    [Fact]
    public void Parse_BytesOfAManifest_AreTheSameManifest()
    {
        var bytes = Sample.ToBytes();
        Assert.Equal(bytes, EnclaveManifest.Parse(bytes).ToBytes());
        Assert.Equal(Sample.Process.Args, EnclaveManifest.Parse(bytes).Process.Args);
        Assert.StartsWith("{\"exec\":[[\"/bin/date\"]],\"files\":[{\"gid\":0,", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void ToBytes_ImageAgentAndItsApplications_ComeBackTheSame()
    {
        var broker = new ManifestBroker { Url = "https://127.0.0.1:8080", Certificate = "PEM" };
        var agent = Sample with { Agent = new ManifestAgent { Applications = [new string('0', 64), new string('1', 64)] }, Broker = broker };
        var application = Sample with { Files = Sample.Files[..1], ImageFromAgent = true };
        var secrets = Sample with { Broker = broker, Secrets = [new ManifestSecret { Resource = "kbs:///a/b/c", Path = "/run/secret" }] };
        var overRaTls = Sample with { Broker = broker with { Protocol = "ra-tls" } };
        foreach (var manifest in new[] { agent, application, secrets, overRaTls })
            Assert.Equal(manifest.ToBytes(), EnclaveManifest.Parse(manifest.ToBytes()).ToBytes());
    }

    [Fact]
    public void ToBytes_SourcesThatMakeNoSense_AreRefused()
    {
        var broker = new ManifestBroker { Url = "https://127.0.0.1:8080", Certificate = "PEM" };
        var secret = new ManifestSecret { Resource = "kbs:///a/b/c", Path = "/run/secret" };
        foreach (var manifest in new[]
        {
            Sample with { ImageFromAgent = false },
            Sample with { ImageFromAgent = true },
            Sample with { ImageFromAgent = true, Files = Sample.Files[..1], ImageDigest = null },
            Sample with { ImageFromAgent = true, Files = Sample.Files[..1], Agent = new ManifestAgent { Applications = [] } },
            Sample with { Agent = new ManifestAgent { Applications = ["not hexadecimal"] } },
            Sample with { Agent = new ManifestAgent { Applications = [new string('1', 64), new string('0', 64)] } },
            Sample with { Broker = broker with { Url = "http://127.0.0.1" } },
            Sample with { Broker = broker with { Url = "file:///broker" } },
            Sample with { Broker = broker with { Protocol = "kbs" } },
            Sample with { Broker = broker, Secrets = [] },
            Sample with { Secrets = [secret] },
            Sample with { Broker = broker, Secrets = [secret with { Path = "/run/../etc/shadow" }] },
        })
        {
            Assert.Throws<MalformedDataException>(manifest.ToBytes);
        }
    }

    /// <summary>Equal applications must have equal bytes: no other spelling is a manifest.</summary>
    [Theory]
    [InlineData("{", "{ ")]
    [InlineData("\"version\":1", "\"version\":1.0")]
    [InlineData("\"gid\":0", "\"gid\":-0")]
    [InlineData("/bin/date", "\\/bin/date")]
    [InlineData("\"version\":1", "\"unknown\":1,\"version\":1")]
    [InlineData("\"version\":1", "\"version\":1,\"version\":1")]
    [InlineData("\"version\":1", "\"version\":2")]
    [InlineData(",\"version\":1", "")]
    [InlineData("/bin/sh\",\"sha256", "/bin/../sh\",\"sha256")]
    [InlineData("\"/lib\"", "\"/Lib\"")]
    [InlineData("\"/lib\"", "\"/usr/lib\"")]
    [InlineData("\"size\":3", "\"size\":-3")]
    [InlineData("\"type\":\"proc\"", "\"type\":\"nfs\"")]
    [InlineData("\"CAP_CHOWN\"", "\"CAP_UNKNOWN\"")]
    [InlineData("\"EMPTY=\"", "\"EMPTY\"")]
    [InlineData("\"type\":\"link\"", "\"type\":\"file\"")]
    [InlineData("\"mode\":493", "\"mode\":65535")]
    [InlineData("sha256:aaaa", "sha256:aaaA")]
    [InlineData("\"openFiles\":100", "\"openFiles\":0")]
    [InlineData("\"args\":[\"/bin/sh\"", "\"args\":[\"\"")]
    [InlineData("\"destination\":\"/proc\"", "\"destination\":\"/\"")]
    public void Parse_OtherSpellingOrRuleBroken_IsRefused(string part, string replacement)
    {
        var text = Encoding.UTF8.GetString(Sample.ToBytes());
        Assert.Contains(part, text, StringComparison.Ordinal);
        var at = text.IndexOf(part, StringComparison.Ordinal);
        var bad = string.Concat(text.AsSpan(0, at), replacement, text.AsSpan(at + part.Length));
        Assert.Throws<MalformedDataException>(() => EnclaveManifest.Parse(Encoding.UTF8.GetBytes(bad)));
    }

    [Fact]
    public void Parse_TruncatedAnywhere_IsRefused()
    {
        var bytes = Sample.ToBytes();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<MalformedDataException>(() => EnclaveManifest.Parse(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void Measure_AnyByteOfHostOrManifestChanged_IsAnotherEnclave()
    {
        var host = new byte[5000];
        host.AsSpan().Fill(7);
        var manifest = Sample.ToBytes();
        var measurement = ApplicationEnclave.Create(host, manifest).Measure();
        Assert.Equal(measurement, ApplicationEnclave.Create(host.ToArray(), manifest.ToArray()).Measure());
        for (var at = 0; at < manifest.Length; at += 37)
        {
            var changed = manifest.ToArray();
            changed[at] ^= 1;
            Assert.NotEqual(measurement, ApplicationEnclave.Create(host, changed).Measure());
        }

        host[4999] ^= 1;
        Assert.NotEqual(measurement, ApplicationEnclave.Create(host, manifest).Measure());
    }

    [Fact]
    public void Read_Tree_ListsEverythingOnceSortedWithDigests()
    {
        var root = Directory.CreateTempSubdirectory("kist-root-");
        try
        {
            Directory.CreateDirectory(Path.Combine(root.FullName, "b"));
            File.WriteAllText(Path.Combine(root.FullName, "b", "file"), "abc");
            File.WriteAllText(Path.Combine(root.FullName, "b-after-b"), "");
            File.CreateSymbolicLink(Path.Combine(root.FullName, "a"), "/nowhere");
            Directory.CreateDirectory(Path.Combine(root.FullName, ".kist"));
            var files = RootTree.Read(root.FullName, excluded: new HashSet<string> { "/.kist" }, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(["/", "/a", "/b", "/b-after-b", "/b/file"], files.Select(f => f.Path));
            Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", files[4].Sha256);
            Assert.Equal("/nowhere", files[1].Target);
            var bytes = (Sample with { Files = files }).ToBytes();
            Assert.Equal(bytes, EnclaveManifest.Parse(bytes).ToBytes());
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
