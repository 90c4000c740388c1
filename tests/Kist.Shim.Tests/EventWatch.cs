using System.Text.Json;

namespace Kist.Shim.Tests;

/// <summary>An event of containerd's.</summary>
/// <param name="Topic">"/tasks/exit".</param>
/// <param name="Subject">The container or what else it is about.</param>
/// <param name="ExitStatus">Of a task's end; otherwise null.</param>
public sealed record ContainerdEvent(string Topic, string Subject, int? ExitStatus);

/// <summary>What "ctr events" prints: date, time, offset, zone, namespace, topic, JSON.</summary>
public sealed class EventWatch(CtrProcess client) : IDisposable
{
    public IReadOnlyList<ContainerdEvent> All => [.. client.OutputSoFar.Split('\n')[..^1].Select(Parse)];

    public IReadOnlyList<ContainerdEvent> Of(string id) => [.. All.Where(e => e.Subject == id)];

    public void Dispose()
    {
        client.Kill();
        client.Finish();
    }

    private static ContainerdEvent Parse(string line)
    {
        var words = line.Split(' ', 7);
        using var document = JsonDocument.Parse(words[6]);
        var content = document.RootElement;
        var subject = content.TryGetProperty("container_id", out var id) || content.TryGetProperty("id", out id) ? id.GetString()! : "";
        return new ContainerdEvent(words[5], subject, content.TryGetProperty("exit_status", out var status) ? status.GetInt32() : null);
    }
}
