using System.Security.Cryptography;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.Platform;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Simulation;
using Kist.Enclaves.Tests.Manifests;
using Kist.Enclaves.Tests.Signing;
using Kist.Formats;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Tests.Platform;

/// <summary>What a process can get out of the platform that is no enclave, which every test process is.</summary>
public sealed class PlatformTests : IDisposable
{
    private static readonly byte[] s_program = [.. Enumerable.Range(0, 9000).Select(i => (byte)i)];
    private static readonly byte[] s_manifest = EnclaveManifestTests.Sample.ToBytes();
    private static readonly SgxAttributes s_attributes = new(EnclaveTraits.Mode64Bit, 3);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kist-platform-");
    private readonly SimulatedProcessor _processor = new(RandomNumberGenerator.GetBytes(32));
    private readonly PlatformServer _server;

    public PlatformTests() => _server = new PlatformServer(_processor, SocketPath, _ => { }, TimeProvider.System);

    private string SocketPath => Path.Combine(_directory.FullName, "platform.sock");

    public void Dispose()
    {
        _server.Dispose();
        _processor.Dispose();
        _directory.Delete(recursive: true);
    }

    /// <summary>Nobody may take a platform that is about to end for one that serves him.</summary>
    [Fact]
    public void TryEnd_OnlyWithoutConnections_AndThenAnswersNobody()
    {
        Assert.True(PlatformClient.Answers(SocketPath));
        using (PlatformClient.Connect(SocketPath))
        {
            Assert.True(PlatformClient.Answers(SocketPath));
            Assert.False(_server.TryEnd(TimeSpan.Zero));
        }

        Assert.False(_server.TryEnd(TimeSpan.FromHours(1)));
        Assert.True(SpinWait.SpinUntil(() => _server.TryEnd(TimeSpan.Zero), TimeSpan.FromSeconds(10)));
        Assert.False(PlatformClient.Answers(SocketPath));
        Assert.False(PlatformClient.Answers(SocketPath + ".none"));
    }

    [Fact]
    public void Launch_SignedApplication_ReturnsASealedCopyOfTheProgram()
    {
        using var client = PlatformClient.Connect(SocketPath);
        using var program = Launch(client, s_program, s_manifest, Sign(s_program, s_manifest));
        Assert.True(Linux.Files.SealedMemoryFile.IsSealed(program));
        var copy = new byte[s_program.Length];
        RandomAccess.Read(program, copy, 0);
        Assert.Equal(s_program, copy);
    }

    /// <summary>Launching is open to all; becoming the enclave takes executing what was measured.</summary>
    [Fact]
    public void Enter_ByTheLauncherItself_IsRefused()
    {
        using var client = PlatformClient.Connect(SocketPath);
        Launch(client, s_program, s_manifest, Sign(s_program, s_manifest)).Dispose();
        using var again = PlatformClient.Connect(SocketPath);
        var error = Assert.Throws<OperationFailedException>(() => again.Enter());
        Assert.Contains("does not execute the program that was measured", error.Message, StringComparison.Ordinal);
        // The attempt used the launch up.
        Assert.Contains("no enclave was launched", Assert.Throws<OperationFailedException>(() => again.Enter()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReportAndKey_ByAProcessThatIsNoEnclave_AreRefused()
    {
        using var client = PlatformClient.Connect(SocketPath);
        Assert.Throws<OperationFailedException>(() => client.Report(new TargetInfo(), new byte[64]));
        Assert.Throws<OperationFailedException>(() => client.Key(new KeyRequest { KeyName = KeyName.Seal, KeyPolicy = KeyPolicy.MrSigner }));
        Assert.Throws<OperationFailedException>(() => client.Enter());
    }

    [Fact]
    public void Launch_TamperedProgramManifestOrSignature_IsRefused()
    {
        using var client = PlatformClient.Connect(SocketPath);
        var signature = Sign(s_program, s_manifest);
        var otherProgram = (byte[])s_program.Clone();
        otherProgram[^1] ^= 1;
        Assert.Contains("ENCLAVEHASH", Refusal(client, otherProgram, s_manifest, signature), StringComparison.Ordinal);

        var otherManifest = (EnclaveManifestTests.Sample with { ReadOnlyRoot = true }).ToBytes();
        Assert.Contains("ENCLAVEHASH", Refusal(client, s_program, otherManifest, signature), StringComparison.Ordinal);

        var otherArgs = (EnclaveManifestTests.Sample with { Process = EnclaveManifestTests.Sample.Process with { Args = ["/bin/sh"] } }).ToBytes();
        Assert.Contains("ENCLAVEHASH", Refusal(client, s_program, otherArgs, signature), StringComparison.Ordinal);

        var otherEnv = (EnclaveManifestTests.Sample with { Process = EnclaveManifestTests.Sample.Process with { Env = ["LD_PRELOAD=/evil.so"] } }).ToBytes();
        Assert.Contains("ENCLAVEHASH", Refusal(client, s_program, otherEnv, signature), StringComparison.Ordinal);

        var badSignature = (byte[])signature.Clone();
        badSignature[600] ^= 1;
        Assert.Contains("SIGNATURE", Refusal(client, s_program, s_manifest, badSignature), StringComparison.Ordinal);
        var badSvn = (byte[])signature.Clone();
        badSvn[1026] ^= 1;
        Assert.Contains("SIGNATURE", Refusal(client, s_program, s_manifest, badSvn), StringComparison.Ordinal);
    }

    [Fact]
    public void Launch_DebugAttributeAgainstTheSignature_IsRefused()
    {
        using var client = PlatformClient.Connect(SocketPath);
        using var program = Write("program", s_program);
        using var manifest = Write("manifest", s_manifest);
        using var sigstruct = Write("sigstruct", Sign(s_program, s_manifest));
        var error = Assert.Throws<OperationFailedException>(() => client.Launch(
            program, manifest, sigstruct, s_attributes with { Flags = EnclaveTraits.Mode64Bit | EnclaveTraits.Debug }));
        Assert.Contains("attributes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Launch_ManifestThatIsNotCanonical_IsRefusedEvenIfSigned()
    {
        using var client = PlatformClient.Connect(SocketPath);
        byte[] manifest = [.. s_manifest, (byte)' '];
        Assert.Contains("canonical", Refusal(client, s_program, manifest, Sign(s_program, manifest)), StringComparison.Ordinal);
    }

    private string Refusal(PlatformClient client, byte[] program, byte[] manifest, byte[] sigstruct) =>
        Assert.Throws<OperationFailedException>(() => Launch(client, program, manifest, sigstruct)).Message;

    private SafeFileHandle Launch(PlatformClient client, byte[] programBytes, byte[] manifestBytes, byte[] sigstructBytes)
    {
        using var program = Write("program", programBytes);
        using var manifest = Write("manifest", manifestBytes);
        using var sigstruct = Write("sigstruct", sigstructBytes);
        return client.Launch(program, manifest, sigstruct, s_attributes);
    }

    private SafeFileHandle Write(string name, byte[] content)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllBytes(path, content);
        return File.OpenHandle(path);
    }

    private static byte[] Sign(byte[] program, byte[] manifest) => SigstructComposer.Sign(
        new SigstructFields { EnclaveHash = ApplicationEnclave.Create(program, manifest).Measure(), Attributes = s_attributes },
        SigningKeys.First).Bytes.ToArray();
}
