using System.Text;
using Kist.Formats;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Oci;

/// <summary>Writes a directory as a tar archive: the same tree always gives the same bytes.</summary>
public static class DirectoryArchive
{
    /// <summary>Writes all that is below a directory, sorted by name, parents first. Sockets are left out.</summary>
    /// <param name="directory">The directory; it becomes the root of the archive and has no entry itself.</param>
    /// <param name="output">Where to.</param>
    /// <param name="modified">The time of every entry, or null to keep the files' own.</param>
    /// <param name="keepOwners">True keeps the owners; false makes everything root's.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static void Write(string directory, Stream output, DateTimeOffset? modified, bool keepOwners, CancellationToken cancellationToken)
    {
        using var root = DirectoryHandle.Open(directory);
        using var tar = new TarWriter(output);
        new Walk(tar, Path.GetFullPath(directory), modified, keepOwners, cancellationToken).Write(root, [], 0);
    }

    private sealed class Walk(TarWriter tar, string directory, DateTimeOffset? modified, bool keepOwners, CancellationToken cancellationToken)
    {
        private readonly Dictionary<(ulong Device, ulong Inode), byte[]> _linked = [];

        public void Write(DirectoryHandle parent, byte[] path, int depth)
        {
            if (depth > DirectoryHandle.MaxDepth)
                throw new OperationFailedException("write tar archive", Encoding.UTF8.GetString(path), "directories are too deep");
            foreach (var name in parent.Names().Order(ByteOrder.Instance))
            {
                cancellationToken.ThrowIfCancellationRequested();
                byte[] child = [.. path, .. name];
                if (parent.Status(name) is not { } status || KindOf(status.Kind) is not { } kind)
                    continue;
                WriteEntry(parent, name, child, status, kind);
                if (kind != TarEntryKind.Directory)
                    continue;
                using var inner = parent.OpenChild(name);
                Write(inner, [.. child, (byte)'/'], depth + 1);
            }
        }

        private void WriteEntry(DirectoryHandle parent, byte[] name, byte[] path, FileStatus status, TarEntryKind kind)
        {
            byte[] link = kind == TarEntryKind.SymbolicLink ? parent.ReadLink(name) : [];
            if (status.Links > 1 && kind != TarEntryKind.Directory && !_linked.TryAdd((status.Device, status.Inode), path))
            {
                kind = TarEntryKind.HardLink;
                link = _linked[(status.Device, status.Inode)];
            }

            var isFile = kind == TarEntryKind.File;
            var isDevice = kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice;
            var entry = new TarEntry
            {
                Kind = kind,
                Path = kind == TarEntryKind.Directory ? [.. path, (byte)'/'] : path,
                LinkTarget = link,
                Size = isFile ? status.Size : 0,
                Permissions = status.Permissions,
                User = keepOwners ? status.User : 0,
                Group = keepOwners ? status.Group : 0,
                ModifiedSeconds = modified?.ToUnixTimeSeconds() ?? status.ModifiedSeconds,
                ModifiedNanoseconds = modified is null ? status.ModifiedNanoseconds : 0,
                DeviceMajor = isDevice ? status.NodeMajor : 0,
                DeviceMinor = isDevice ? status.NodeMinor : 0,
                Attributes = kind == TarEntryKind.HardLink ? [] : AttributesOf(parent, name),
            };
            if (!isFile)
            {
                tar.Write(entry);
                return;
            }

            using var file = new FileStream(OpenFile(path), FileAccess.Read, 1);
            tar.Write(entry, file);
        }

        private SafeFileHandle OpenFile(byte[] path) =>
            File.OpenHandle(Path.Combine(directory, Encoding.UTF8.GetString(path)), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);

        private static KeyValuePair<byte[], byte[]>[] AttributesOf(DirectoryHandle parent, byte[] name) =>
            [.. parent.Attributes(name)
                .Where(a => a.Key.StartsWith("user.", StringComparison.Ordinal) || a.Key == "security.capability")
                .Select(a => KeyValuePair.Create(Encoding.UTF8.GetBytes(a.Key), a.Value))];

        private static TarEntryKind? KindOf(FileKind kind) => kind switch
        {
            FileKind.Regular => TarEntryKind.File,
            FileKind.Directory => TarEntryKind.Directory,
            FileKind.SymbolicLink => TarEntryKind.SymbolicLink,
            FileKind.CharacterDevice => TarEntryKind.CharacterDevice,
            FileKind.BlockDevice => TarEntryKind.BlockDevice,
            FileKind.Pipe => TarEntryKind.Pipe,
            _ => null,
        };
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static ByteOrder Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
