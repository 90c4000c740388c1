using Kist.Formats;

namespace Kist.Pods.Machines;

/// <summary>A virtio-serial port: one stream, connected for as long as QEMU lives.</summary>
sealed class VirtioSerialChannel(string name, Stream stream) : IGuestChannel
{
    private Stream? _stream = stream;

    public string Name { get; } = name;

    public Stream Open() => Interlocked.Exchange(ref _stream, null)
        ?? throw new OperationFailedException("open guest channel", Name, "a port carries one connection, and it is taken");
}
