using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Enclaves.Attestation;
using Kist.Enclaves.Images;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.SealedRoots;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Simulation;
using Kist.Formats;
using Kist.Simulator;
using SimulatedEnclave = Kist.Enclaves.Simulation.SimulatedEnclave;

// Sealed files beside AES-256-GCM of openssl, quotes beside its ECDSA, all in one run and by processor time of this process.
// How long containers, exec and quotes take from the command line is measured by bench/enclave-start.sh.
//   dotnet run -c Release --project bench/Kist.Enclaves.Bench

const int Megabytes = 256;
var folder = Directory.CreateTempSubdirectory("kist-bench-").FullName;
try
{
    Sealed();
    await QuotesAsync();
}
finally
{
    Directory.Delete(folder, recursive: true);
}

void Sealed()
{
    var limit = Openssl("-evp", "aes-256-gcm", "-bytes", "65536") / 1e6;
    Console.WriteLine($"openssl, AES-256-GCM, 64 KiB at a time   {limit,8:0} MB/s");
    var root = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
    File.WriteAllBytes(Path.Combine(root, "file"), RandomNumberGenerator.GetBytes(Megabytes << 20));
    var files = RootTree.Read(root);
    using var key = SecretBytes.Random(SealedRootFormat.KeySize);
    var digest = SHA256.HashData("image"u8);
    var target = Path.Combine(folder, "sealed");
    Report("written, from file to file", limit, Best(() =>
    {
        using var stream = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        SealedRootWriter.Write(stream, key.Span, digest, root, files);
    }));
    var buffer = new byte[1 << 20];
    Report("read, every chunk proven", limit, Best(() =>
    {
        using var sealedRoot = SealedRoot.Open(File.OpenHandle(target), SecretBytes.CopyOf(key.Span), digest);
        using var stream = sealedRoot.OpenRead(sealedRoot.Files.Single(f => f.Type == ManifestFileType.File));
        while (stream.Read(buffer) > 0)
        {
        }
    }));
}

async Task QuotesAsync()
{
    var sign = OpensslPublicKey("sign");
    var verify = OpensslPublicKey("verify");
    var vendor = SimulatedVendor.FromSeed(new byte[32]);
    using var processor = new SimulatedProcessor(new byte[32]);
    var quoting = new SimulatedQuoting(vendor);
    using var signer = EnclaveSigningKey.Generate();
    var image = new EnclaveImage(0x4000, 1, [new EnclavePage(0, SecInfo.ReadExecutePage, default, true)]);
    var fields = new SigstructFields { EnclaveHash = image.Measure() };
    var enclave = SimulatedProcessor.Initialize(image, fields.Attributes, SigstructComposer.Sign(fields, signer));
    var data = new byte[64];
    Console.WriteLine($"openssl, ECDSA P-256: {sign:0} signatures, {verify:0} verifications a second");
    var quotes = Rate(() => quoting.Quote(processor.Report(enclave, quoting.Target, data).Body));
    Console.WriteLine($"EREPORT and quote, simulated platform    {quotes,8:0} a second, {1e6 / quotes:0} us each; {quotes / sign:0.00} of openssl's signatures");

    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    using var certificate = await RaTlsCertificate.CreateAsync(key, new Quoter(processor, quoting, enclave), TimeProvider.System, CancellationToken.None);
    var now = TimeProvider.System.GetUtcNow();
    var options = new VerificationOptions
    {
        Time = now,
        Anchors = TrustAnchorSet.Empty.With(vendor.IntelAnchor),
        Collateral = SimulatedCollateral.Issue(vendor, now.AddHours(-1)),
        AllowSimulated = true,
        References = [new ReferenceValue("body.mr_enclave", [Convert.ToHexStringLower(enclave.Secs.MrEnclave)])],
    };
    if (!RaTlsVerifier.Verify(RaTlsEvidence.Read(certificate.RawData), null, options, false).IsAccepted)
        throw new InvalidOperationException("the certificate is not accepted");
    // Two signatures are checked each time: the quote's and the certificate's own.
    var judged = Rate(() => RaTlsVerifier.Verify(RaTlsEvidence.Read(certificate.RawData), null, options, false));
    Console.WriteLine($"RA-TLS certificate read and judged       {judged,8:0} a second, {1e6 / judged:0} us each; {2 * judged / verify:0.00} of openssl's verifications, two each");
}

static double Best(Action action)
{
    var best = TimeSpan.MaxValue;
    for (var i = 0; i < 4; i++)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        action();
        var taken = Process.GetCurrentProcess().TotalProcessorTime - before;
        best = taken < best ? taken : best;
    }

    return (Megabytes << 20) / 1e6 / best.TotalSeconds;
}

static double Rate(Action action)
{
    for (var i = 0; i < 2000; i++)
        action();
    const int Times = 4000;
    var before = Process.GetCurrentProcess().TotalProcessorTime;
    for (var i = 0; i < Times; i++)
        action();
    return Times / (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
}

static void Report(string what, double limit, double rate) =>
    Console.WriteLine($"sealed root, {what,-28} {rate,8:0} MB/s of processor time, {rate / limit:0.00} of openssl's");

static double Openssl(params string[] arguments)
{
    var last = Run(["speed", "-elapsed", "-seconds", "2", "-mr", .. arguments]).Split('\n').Last(l => l.StartsWith("+F:", StringComparison.Ordinal));
    return double.Parse(last.Split(':')[^1], CultureInfo.InvariantCulture);
}

static double OpensslPublicKey(string operation)
{
    // "256 bits ecdsa (nistp256)   0.0000s   0.0001s  41000.0  13000.0"
    var line = Run(["speed", "-seconds", "2", "ecdsap256"]).Split('\n').Last(l => l.Contains("nistp256", StringComparison.Ordinal));
    var numbers = Regex.Matches(line, @"\d+\.\d+(?!\w)").Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture)).ToArray();
    return operation == "sign" ? numbers[^2] : numbers[^1];
}

static string Run(string[] arguments)
{
    using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    var errors = process.StandardError.ReadToEndAsync();
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return output + errors.Result;
}

/// <summary>Quotes of one enclave.</summary>
sealed class Quoter(SimulatedProcessor processor, SimulatedQuoting quoting, SimulatedEnclave enclave) : IEnclaveQuoter
{
    public Task<byte[]> QuoteAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken)
    {
        var data = new byte[64];
        reportData.CopyTo(data);
        return Task.FromResult(quoting.Quote(processor.Report(enclave, quoting.Target, data).Body));
    }
}
