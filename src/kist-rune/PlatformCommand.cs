using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Kist.Enclaves.Aesm;
using Kist.Enclaves.Host;
using Kist.Enclaves.Platform;
using Kist.Enclaves.Simulation;
using Kist.Formats;
using Kist.Simulator;

namespace Kist.Rune;

/// <summary>
/// "kist-rune platform --directory DIR [--idle-exit SECONDS]": the simulated platform, which protects nothing from the
/// machine's owner. Its secrets are kept in DIR, so that sealed data outlives it; what a verifier needs (the simulation's
/// root and its statements) is written to DIR/collateral.
/// </summary>
static class PlatformCommand
{
    private const string SecretName = "processor-secret";
    private const string VendorSeedName = "vendor-seed";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public static int Run(string[] options)
    {
        string? directory = null;
        TimeSpan? idleExit = null;
        for (var i = 0; i + 1 < options.Length; i += 2)
        {
            if (options[i] == "--directory")
                directory = options[i + 1];
            else if (options[i] == "--idle-exit" && double.TryParse(options[i + 1], CultureInfo.InvariantCulture, out var seconds))
                idleExit = TimeSpan.FromSeconds(seconds);
        }

        if (directory is null || options.Length % 2 != 0)
            throw new OperationFailedException("start platform", string.Join(' ', options), "usage: kist-rune platform --directory DIR [--idle-exit SECONDS]");
        Serve(directory, idleExit);
        return 0;
    }

    private static void Serve(string directory, TimeSpan? idleExit)
    {
        Directory.CreateDirectory(directory);
        // One that ends removes its sockets before it lets this go: it cannot take away those of its successor.
        using var alone = ExclusiveFile.Lock(Path.Combine(directory, "running"), s_patience);
        var secret = LoadSecret(Path.Combine(directory, SecretName));
        using var processor = new SimulatedProcessor(secret);
        CryptographicOperations.ZeroMemory(secret);
        var vendor = LoadVendor(directory);
        SimulatedCollateralDirectory.Write(
            Path.Combine(directory, "collateral"), vendor, SimulatedCollateral.Issue(vendor, TimeProvider.System.GetUtcNow()));
        File.Delete(Path.Combine(directory, HostPaths.AesmSocketName));
        using var aesm = new AesmServer(processor, new SimulatedQuoting(vendor), Path.Combine(directory, HostPaths.AesmSocketName));
        var path = Path.Combine(directory, HostPaths.PlatformSocketName);
        File.Delete(path);
        using var server = new PlatformServer(processor, path, Log, TimeProvider.System);
        Log($"SIMULATED platform, which protects nothing from this machine's owner, listens at {path}");
        using var stop = new ManualResetEventSlim();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => Stop(c, stop));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => Stop(c, stop));
        while (!stop.Wait(TimeSpan.FromMilliseconds(500)))
        {
            if (idleExit is { } idle && server.TryEnd(idle))
                return;
        }
    }

    private static SimulatedVendor LoadVendor(string directory)
    {
        var seed = LoadSecret(Path.Combine(directory, VendorSeedName));
        var vendor = SimulatedVendor.FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return vendor;
    }

    private static void Stop(PosixSignalContext context, ManualResetEventSlim stop)
    {
        context.Cancel = true;
        stop.Set();
    }

    private static byte[] LoadSecret(string path)
    {
        if (!File.Exists(path))
        {
            var created = RandomNumberGenerator.GetBytes(SimulatedProcessor.RootSecretSize);
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            file.Write(created);
            return created;
        }

        var secret = File.ReadAllBytes(path);
        return secret.Length == SimulatedProcessor.RootSecretSize
            ? secret
            : throw new MalformedDataException(path, -1, $"{secret.Length} bytes, not {SimulatedProcessor.RootSecretSize}");
    }

    private static void Log(string message) => Console.Error.WriteLine($"kist-platform: {message}");
}
