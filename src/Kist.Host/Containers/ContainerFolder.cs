using System.Text.Json;
using Kist.Formats;

namespace Kist.Host;

/// <summary>One container's folder: its record, its output, its control socket and its lock.</summary>
public sealed class ContainerFolder
{
    internal const string RecordFile = "record.json";

    private readonly string _path;

    internal ContainerFolder(string path, ContainerRecord record)
    {
        _path = path;
        Record = record;
    }

    /// <summary>The record as last read or saved by this process.</summary>
    public ContainerRecord Record { get; private set; }

    /// <summary>Everything that the container wrote, with times and streams.</summary>
    public string OutputLog => Path.Combine(_path, "output.jsonl");

    /// <summary>The virtual machine's serial console: firmware's and kernel's words, never the container's.</summary>
    public string ConsoleLog => Path.Combine(_path, "console.log");

    /// <summary>Where the virtual machine's sockets and init-data disk lie while it runs.</summary>
    public string PodDirectory => Path.Combine(_path, "pod");

    /// <summary>The supervisor's socket, for stop, kill and wait.</summary>
    public string ControlSocket => Path.Combine(_path, "control.sock");

    /// <summary>The request that a detached supervisor carries out.</summary>
    private string RequestFile => Path.Combine(_path, "request.json");

    private string LockFile => Path.Combine(_path, "lock");

    /// <summary>Writes a new record.</summary>
    public void Save(ContainerRecord record)
    {
        AtomicFile.Write(Path.Combine(_path, RecordFile), JsonSerializer.SerializeToUtf8Bytes(record, HostJson.Default.ContainerRecord));
        Record = record;
    }

    /// <summary>Reads the record again. False if the container has been removed.</summary>
    public bool Reload()
    {
        try
        {
            var record = JsonSerializer.Deserialize(
                File.ReadAllBytes(Path.Combine(_path, RecordFile)), HostJson.Default.ContainerRecord);
            if (record is null)
                return false;
            Record = record;
            return true;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return false;
        }
    }

    /// <summary>Leaves the request for a detached supervisor.</summary>
    public void SaveRequest(RunRequest request) =>
        AtomicFile.Write(RequestFile, JsonSerializer.SerializeToUtf8Bytes(request, HostJson.Default.RunRequest));

    /// <summary>Takes the request that <c>kist run -d</c> left.</summary>
    public RunRequest LoadRequest() => JsonSerializer.Deserialize(File.ReadAllBytes(RequestFile), HostJson.Default.RunRequest)
        ?? throw new MalformedDataException("run request", 0, "it is null");

    /// <summary>Marks this process as the container's supervisor until the result is disposed.</summary>
    public IDisposable Supervise() => FileLock.Acquire(LockFile);

    /// <summary>True if a supervisor lives.</summary>
    public bool IsSupervised()
    {
        using var taken = FileLock.TryAcquire(LockFile);
        return taken is null;
    }

    /// <summary>Records that the supervisor is gone without having said how the container ended.</summary>
    public void MarkLost(DateTimeOffset now) => Save(Record with
    {
        Status = ContainerStatus.Failed,
        Finished = now,
        Error = "its supervisor ended without a word; the virtual machine ended with it",
    });

    /// <summary>Removes the folder and all in it.</summary>
    public void Delete()
    {
        try
        {
            Directory.Delete(_path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // another process removed it
        }
    }
}
