using System.Text.Json;
using Kist.Cli.Commands.Containers;
using Kist.Cli.Commands.Services;
using Kist.Formats;
using Kist.Host;
using Kist.KeyBroker.Protocol;
using Kist.Oci;

namespace Kist.Cli.Commands.Demo;

/// <summary>Does the demo's steps, each as a user would, and times them.</summary>
sealed class DemoRun(StateDirectory state, bool quiet)
{
    private const string Script =
        "echo \"Hello from inside the guest. I am uid $(id -u) on $(uname -sr).\"; " +
        "echo \"My image was encrypted; this line was in it: $(cat /etc/kist-demo)\"";

    private readonly List<StepTiming> _steps = [];

    public async Task<DemoReport> RunAsync(CancellationToken cancellationToken)
    {
        var endpoints = await StepAsync("guest image, key broker and registry", () => UpCommand.EnsureServingAsync(state, cancellationToken));
        var layout = Directory.CreateTempSubdirectory("kist-demo-").FullName;
        try
        {
            var image = $"{endpoints.Registry}/demo:latest";
            await StepAsync("make an ordinary image (Debian's busybox)", () => DemoImage.BuildAsync(Path.Combine(layout, "image"), cancellationToken));
            await StepAsync(
                "encrypt it, give its key to the broker, push it, prove that it decrypts",
                () => MustAsync(["image", "encrypt", $"oci:{Path.Combine(layout, "image")}:latest", image, "--key", "kbs:///default/image-key/demo"], cancellationToken));
            return await RunContainerAsync(endpoints, image, cancellationToken);
        }
        finally
        {
            Directory.Delete(layout, recursive: true);
        }
    }

    private async Task<DemoReport> RunContainerAsync(ServiceEndpoints endpoints, string image, CancellationToken cancellationToken)
    {
        var name = $"demo-{ContainerName.Random()}";
        var store = new ContainerStore(state, TimeProvider.System);
        try
        {
            var result = await StepAsync(
                "run it: boot, measure, attest, get the key, pull, decrypt, start",
                () => MustAsync(["run", "--name", name, image, "sh", "-c", Script], cancellationToken));
            var record = store.Find(name).Record;
            var verdict = await LatestVerdictAsync(endpoints, cancellationToken);
            return new DemoReport(result.ExitCode, image, result.Stdout, record.Platform, _steps, record.Timings, verdict);
        }
        finally
        {
            if (store.All().FirstOrDefault(c => c.Record.Name == name) is { } folder && !folder.IsSupervised())
                folder.Delete();
        }
    }

    private static async Task<JsonElement> LatestVerdictAsync(ServiceEndpoints endpoints, CancellationToken cancellationToken)
    {
        using var client = endpoints.ConnectAsAdministrator();
        var entries = await client.SearchAuditAsync(new AuditSearch { Kind = "attest", Limit = 1 }, cancellationToken);
        if (entries.Count == 0)
            throw new OperationFailedException("show the verdict", "audit log", "it has no attestation");
        using var entry = JsonDocument.Parse(entries[0].Entry);
        var digest = entry.RootElement.GetProperty("attachments").GetProperty("verdict.cpu0").GetString()!;
        using var verdict = JsonDocument.Parse(await client.GetAuditAttachmentAsync(digest, cancellationToken));
        return verdict.RootElement.Clone();
    }

    private async Task<SelfResult> MustAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var result = await SelfProcess.RunAsync(state.Root, arguments, cancellationToken);
        return result.ExitCode == 0
            ? result
            : throw new OperationFailedException(
                $"kist {arguments[0]}", string.Join(' ', arguments[1..]), $"it ended with {result.ExitCode}: {result.Stderr.Trim()}");
    }

    private async Task StepAsync(string name, Func<Task> act) => await StepAsync(name, async () =>
    {
        await act();
        return true;
    });

    private async Task<T> StepAsync<T>(string name, Func<Task<T>> act)
    {
        if (!quiet)
            Terminal.Note(name);
        var started = TimeProvider.System.GetTimestamp();
        var result = await act();
        _steps.Add(new StepTiming(name, Math.Round(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds)));
        return result;
    }
}
