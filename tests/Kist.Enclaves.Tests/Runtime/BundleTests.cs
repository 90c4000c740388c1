using System.Text.Json.Nodes;
using Kist.Enclaves.Host;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Runtime;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Runtime;

public sealed class BundleTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kist-bundle-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Read_OrdinaryContainer_HasNoEnclaveOptions() => Assert.Null(EnclaveOptions.Read(Bundle(c => c.Remove("annotations"))));

    [Fact]
    public void Read_VariableAndAnnotation_VariableWinsAndIsNotPassedOn()
    {
        var bundle = Bundle(c =>
        {
            c["annotations"]!["kist.enclave.image.digest"] = "sha256:" + new string('d', 64);
            c["process"]!["env"] = new JsonArray("PATH=/bin", "ENCLAVE_RUNTIME_ARGS=a,b", "IMAGE_DIGEST=sha256:" + new string('c', 64));
        });
        Assert.Equal(["PATH=/bin"], EnclaveOptions.ProgramEnvironment(bundle));
        Assert.Equal("sha256:" + new string('c', 64), Manifest(bundle).ImageDigest);
    }

    [Theory]
    [InlineData("enclave.type", "AwsNitroEnclaves", "no such enclaves")]
    [InlineData("enclave.attestation.ra_type", "epidLinkable", "EPID")]
    [InlineData("enclave.attestation.ra_type", "other", "no such attestation")]
    [InlineData("enclave.runtime.path", "/usr/lib/liberpal.so", "PAL")]
    public void Read_WhatIsNotOffered_IsRefusedByName(string annotation, string value, string reason)
    {
        var bundle = Bundle(c => c["annotations"]![annotation] = value);
        Assert.Contains(reason, Assert.Throws<OperationFailedException>(() => EnclaveOptions.Read(bundle)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_Manifest_HasProcessFilesAndMountsOfTheBundle()
    {
        var bundle = Bundle();
        var manifest = Manifest(bundle);
        Assert.Equal(["/bin/true", "an argument"], manifest.Process.Args);
        Assert.Equal(1000u, manifest.Process.Uid);
        Assert.Equal(["CAP_CHOWN", "CAP_KILL"], manifest.Process.Capabilities);
        Assert.Equal(["/", "/bin", "/bin/true"], manifest.Files.Select(f => f.Path));
        Assert.Equal(["proc", "bind"], manifest.Mounts.Select(m => m.Type));
        Assert.Equal(512, manifest.Limits.OpenFiles);
        Assert.Equal(manifest.ToBytes(), Manifest(bundle).ToBytes());
    }

    /// <summary>Whatever the host asks for beside the manifest is refused with the field's name.</summary>
    [Theory]
    [InlineData("process.args")]
    [InlineData("process.env")]
    [InlineData("process.cwd")]
    [InlineData("process.user")]
    [InlineData("process.capabilities")]
    [InlineData("mounts")]
    public void RequireMatch_BundleAsksForSomethingElse_IsRefusedByName(string field)
    {
        var original = Bundle();
        var manifest = Manifest(original);
        BundleManifest.RequireMatch(manifest, original, EnclaveOptions.Read(original)!);
        var changed = Bundle(c =>
        {
            var process = c["process"]!;
            switch (field)
            {
                case "process.args":
                    process["args"] = new JsonArray("/bin/true", "another", "argument");
                    break;
                case "process.env":
                    process["env"] = new JsonArray("PATH=/bin", "LD_PRELOAD=/evil.so");
                    break;
                case "process.cwd":
                    process["cwd"] = "/bin";
                    break;
                case "process.user":
                    process["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 };
                    break;
                case "process.capabilities":
                    process["capabilities"]!["effective"] = new JsonArray("CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW");
                    break;
                default:
                    ((JsonArray)c["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = "/lib", ["type"] = "bind", ["source"] = "/evil", ["options"] = new JsonArray("bind") });
                    break;
            }
        });
        var error = Assert.Throws<OperationFailedException>(() => BundleManifest.RequireMatch(manifest, changed, EnclaveOptions.Read(changed)!));
        Assert.Equal(field, error.Subject);
    }

    [Fact]
    public void Rewrite_Bundle_HasLauncherMountsAndCapabilitiesAndNoForeignFilter()
    {
        var bundle = Bundle();
        var rewritten = BundleRewriter.Rewrite(bundle, "/share", "/platform", "/program").Config;
        Assert.Equal([HostPaths.Program, "launch"], rewritten["process"]!["args"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Equal(0, rewritten["process"]!["user"]!["uid"]!.GetValue<int>());
        Assert.Equal(["PATH=/"], rewritten["process"]!["env"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Null(rewritten["linux"]!["seccomp"]);
        Assert.Equal(
            [HostPaths.Directory, HostPaths.Platform, HostPaths.Program],
            rewritten["mounts"]!.AsArray().TakeLast(3).Select(m => m!["destination"]!.GetValue<string>()));
        Assert.Contains("CAP_SYS_ADMIN", rewritten["process"]!["capabilities"]!["effective"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Equal(bundle.RootPath, rewritten["root"]!["path"]!.GetValue<string>());
        Assert.Equal("/bin/true", bundle.Config["process"]!["args"]![0]!.GetValue<string>());
    }

    [Fact]
    public void Rewrite_SharedPidNamespace_OrMountOverTheHostsPlace_IsRefused()
    {
        var shared = Bundle(c => c["linux"]!["namespaces"] = new JsonArray(new JsonObject { ["type"] = "mount" }));
        Assert.Equal("linux.namespaces", Assert.Throws<OperationFailedException>(() => BundleRewriter.Rewrite(shared, "/s", "/p", "/h")).Subject);
        var over = Bundle(c => ((JsonArray)c["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = "/.kist/manifest.json", ["type"] = "bind" }));
        Assert.Throws<OperationFailedException>(() => BundleRewriter.Rewrite(over, "/s", "/p", "/h"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"process\":{}}")]
    public void Read_NoConfiguration_IsMalformed(string text)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, "config.json"), text);
        Assert.Throws<MalformedDataException>(() => OciBundle.Read(_directory.FullName).RootPath);
    }

    private static EnclaveManifest Manifest(OciBundle bundle) =>
        BundleManifest.Create(bundle, EnclaveOptions.Read(bundle)!, cancellationToken: TestContext.Current.CancellationToken);

    private OciBundle Bundle(Action<JsonObject>? change = null)
    {
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "rootfs", "bin"));
        File.WriteAllText(Path.Combine(_directory.FullName, "rootfs", "bin", "true"), "#!/bin/true\n");
        var config = (JsonObject)JsonNode.Parse("""
            {
              "ociVersion": "1.0.2",
              "process": {
                "args": ["/bin/true", "an argument"], "env": ["PATH=/bin"], "cwd": "/", "user": {"uid": 1000, "gid": 1000, "additionalGids": [5]},
                "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL", "CAP_CHOWN"]},
                "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 512, "soft": 512}], "noNewPrivileges": true
              },
              "root": {"path": "rootfs", "readonly": true},
              "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"]},
                {"destination": "/etc/hosts", "type": "none", "source": "/etc/hosts", "options": ["rbind", "ro"]}
              ],
              "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}], "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}},
              "annotations": {"enclave.type": "intelSgx"}
            }
            """)!;
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(_directory.FullName, "config.json"), config.ToJsonString());
        return OciBundle.Read(_directory.FullName);
    }
}
