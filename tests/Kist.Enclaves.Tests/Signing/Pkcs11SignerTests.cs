using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Signing;

/// <summary>Signing with a key in SoftHSM, whose token lies in a directory of the test's own.</summary>
public sealed class Pkcs11SignerTests : IDisposable
{
    private const string Library = "/usr/lib/softhsm/libsofthsm2.so";
    private const string Pin = "123456";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kist-hsm-");

    public Pkcs11SignerTests()
    {
        Assert.SkipUnless(File.Exists(Library), "softhsm2 is not installed");
        var configuration = Path.Combine(_directory.FullName, "softhsm2.conf");
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "tokens"));
        File.WriteAllText(configuration, $"directories.tokendir = {_directory.FullName}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n");
        Environment.SetEnvironmentVariable("SOFTHSM2_CONF", configuration);
        // The library reads the variable of the process, which .NET does not change for native code.
        SetNativeVariable("SOFTHSM2_CONF", configuration);
        Run("softhsm2-util", "--init-token", "--free", "--label", "kist", "--pin", Pin, "--so-pin", "654321");
        using var key = RSA.Create();
        key.ImportFromPem(Encoding.ASCII.GetString(SigningKeys.First.ExportPem()));
        var pem = Path.Combine(_directory.FullName, "key.pem");
        File.WriteAllText(pem, key.ExportPkcs8PrivateKeyPem());
        Run("softhsm2-util", "--import", pem, "--token", "kist", "--label", "signer", "--id", "01", "--pin", Pin);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Sign_WithAKeyInAToken_IsTheSameSigstructAsWithTheKeyInMemory()
    {
        var fields = new SigstructFields { EnclaveHash = SHA256.HashData("enclave"u8), IsvSvn = 9 };
        using (var signer = Pkcs11Signer.Open(Library, "kist", Encoding.UTF8.GetBytes(Pin), "signer"))
            Assert.Equal(SigstructComposer.Sign(fields, SigningKeys.First).Bytes, SigstructComposer.Sign(fields, signer).Bytes);

        Assert.Contains("wrong PIN", Assert.Throws<OperationFailedException>(() => Pkcs11Signer.Open(Library, "kist", "000000"u8, "signer")).Message, StringComparison.Ordinal);
        Assert.Equal("other", Assert.Throws<OperationFailedException>(() => Pkcs11Signer.Open(Library, "kist", Encoding.UTF8.GetBytes(Pin), "other")).Subject);
        Assert.Equal("none", Assert.Throws<OperationFailedException>(() => Pkcs11Signer.Open(Library, "none", Encoding.UTF8.GetBytes(Pin), "signer")).Subject);
        Assert.Throws<OperationFailedException>(() => Pkcs11Signer.Open("/lib/x86_64-linux-gnu/libc.so.6", "kist", Encoding.UTF8.GetBytes(Pin), "signer"));
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
    }

    private static void SetNativeVariable(string name, string value) => Assert.Equal(0, setenv(name, value, 1));

    [System.Runtime.InteropServices.DllImport("libc", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int setenv(string name, string value, int overwrite);
}
