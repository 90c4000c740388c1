using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Secrets;
using Kist.KeyBroker.Tests;
using Kist.Testing;

namespace Kist.Cli.Tests.Broker;

/// <summary>
/// Brokers are killed (SIGKILL) again and again while guests and administrators go on. What was answered must be there
/// afterwards, nothing may be given out more often than its lease allows, and the audit log must agree with all of it.
/// </summary>
public sealed class KilledReplicaTests(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    private const int Lease = 30;
    private const int Kills = 6;

    private static readonly ResourceUri Leased = ResourceUri.Parse("a/lease/1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replicas_OnPostgres_KilledAtAnyMoment_LoseNothing()
    {
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder["postgres"], postgres.CreateDatabase(), Token);
        FileMasterKey.Create(folder["master.key"]).Dispose();
        await RunAsync(folder, 2, "--postgres", folder["postgres"], "--master-key", folder["master.key"]);
    }

    [Fact]
    public async Task Broker_OnSqlite_KilledAtAnyMoment_LosesNothing()
    {
        using var folder = new TemporaryDirectory();
        await RunAsync(folder, 1);
    }

    private static async Task RunAsync(TemporaryDirectory folder, int count, params string[] options)
    {
        var replicas = new List<Replica>();
        for (var i = 0; i < count; i++)
        {
            replicas.Add(new Replica(folder[$"state{i}"], options));
            await replicas[i].StartAsync();
        }

        try
        {
            var admin = await File.ReadAllTextAsync(Path.Combine(folder["state0"], "admin.token"), Token);
            using (var client = replicas[0].Admin(admin))
            {
                await client.SetResourcePolicyAsync("", "package policy\ndefault allow = true\n", Token);
                await client.PutResourceAsync(Leased, "s"u8.ToArray(), Token);
                await client.SetResourceTermsAsync(Leased, new ResourceTermsDocument { MaxReads = Lease }, Token);
            }

            var written = new ConcurrentBag<string>();
            var read = 0;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var work = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
            {
                for (var i = 0; !end.IsCancellationRequested; i++)
                {
                    var replica = replicas[(n + i) % count];
                    await TryAsync(async () =>
                    {
                        using var client = replica.Admin(admin);
                        await client.PutResourceAsync(ResourceUri.Parse($"w/{n}/{i}"), new byte[16], end.Token);
                        written.Add($"w/{n}/{i}");
                    });
                    await TryAsync(async () =>
                    {
                        using var guest = replica.Guest();
                        (await guest.GetResourceAsync(Leased.ToString(), end.Token)).Dispose();
                        Interlocked.Increment(ref read);
                    });
                }
            }, Token)).ToList();
            for (var i = 0; i < Kills; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300 + (137 * i)), Token);
                await replicas[i % count].KillAndStartAsync();
            }

            await end.CancelAsync();
            await Task.WhenAll(work);
            Assert.NotEmpty(written);
            Assert.InRange(read, 1, Lease);
            await CheckAsync(replicas[0], admin, written, read);
        }
        finally
        {
            replicas.ForEach(r => r.Dispose());
        }
    }

    private static async Task CheckAsync(Replica replica, string adminToken, IReadOnlyCollection<string> written, int read)
    {
        using var admin = replica.Admin(adminToken);
        using var bundle = new StringWriter();
        await AuditBundle.ExportAsync(admin, bundle, Token);
        var report = await AuditBundle.VerifyAsync(new StringReader(bundle.ToString()), await admin.GetAuditKeyAsync(Token), null, Token);
        Assert.True(report.Holds, string.Join("; ", report.Problems));

        var entries = bundle.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(line => JsonDocument.Parse(KbsJson.Read<AuditEntryDocument>(Encoding.UTF8.GetBytes(line), 1 << 22).Entry).RootElement).ToList();
        List<string> Subjects(string kind) =>
            [.. entries.Where(e => e.GetProperty("kind").GetString() == kind && e.GetProperty("outcome").GetString() == "allowed").Select(e => e.GetProperty("resource").GetString()!)];

        // What was answered is there, and what is there is recorded, and the other way round.
        var stored = (await admin.ListResourcesAsync("", 1000, false, Token)).Select(r => r.Path).ToHashSet();
        Assert.Empty(written.Except(stored));
        Assert.Equal(stored.Order(), Subjects("resource.write").Distinct().Order());
        // An answer may have been lost after it was counted, but none was given without.
        var counted = (await admin.GetResourceTermsAsync(Leased, Token)).Reads;
        Assert.Equal(counted, Subjects("resource.read").Count);
        Assert.InRange(counted, read, Lease);
    }

    // A replica that was just killed answers nothing, and a lease ends: either is as it should be.
    private static async Task TryAsync(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (e is OperationFailedException or OperationCanceledException or IOException)
        {
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private sealed class SampleTee : IGuestEvidenceSource
    {
        public string Tee => "sample";

        public Task<ReadOnlyMemory<byte>> GetEvidenceAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellationToken) =>
            Task.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes($$"""{"svn":"1","report_data":"{{Convert.ToBase64String(reportData.Span)}}"}"""));
    }

    /// <summary>One broker process, on a port of its own that it keeps.</summary>
    private sealed class Replica(string state, string[] options) : IDisposable
    {
        private readonly int _port = FreePort();
        private Process? _process;

        private Uri Endpoint => new($"https://127.0.0.1:{_port}");

        private string Certificate => File.ReadAllText(Path.Combine(state, "tls.crt"));

        public KeyBrokerAdminClient Admin(string token) => new(Endpoint, Certificate, token, TimeSpan.FromSeconds(10));

        public KeyBrokerClient Guest() => new(new KeyBrokerClientOptions { Endpoint = Endpoint, CertificatePem = Certificate }, new SampleTee());

        public async Task StartAsync()
        {
            _process = Process.Start(new ProcessStartInfo(
                Path.Combine(AppContext.BaseDirectory, "kist"), ["broker", "serve", "--state", state, "--listen", $"127.0.0.1:{_port}", "--allow-simulated", .. options])
            {
                RedirectStandardError = true,
            })!;
            var said = new StringBuilder();
            while (await _process.StandardError.ReadLineAsync(Token) is { } line)
            {
                said.AppendLine(line);
                if (line.Contains("listening on", StringComparison.Ordinal))
                {
                    _ = _process.StandardError.ReadToEndAsync(CancellationToken.None);
                    return;
                }
            }

            Assert.Fail($"the broker did not start: {said}");
        }

        public Task KillAndStartAsync()
        {
            Stop();
            return StartAsync();
        }

        public void Dispose() => Stop();

        private void Stop()
        {
            if (_process is null)
                return;
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
            _process = null;
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
