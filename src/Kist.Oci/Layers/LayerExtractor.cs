using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Oci;

/// <summary>
/// Unpacks layers into a directory that they cannot leave (OCI image specification 1.1, layer.md). Parents are resolved by
/// the kernel with that directory as root; names are created, never opened, and never through a symbolic link; whatever
/// is in the way is removed first, so that nothing is written through an older link.
/// </summary>
public sealed partial class LayerExtractor : IDisposable
{
    private static readonly byte[] s_whiteoutPrefix = ".wh."u8.ToArray();

    private readonly DirectoryHandle _root;
    private readonly ExtractionOptions _options;
    private readonly bool _privileged;
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly Dictionary<UInt128, (byte[] Path, long Seconds, uint Nanoseconds)> _directoryTimes = [];
    private HashSet<UInt128>? _created;
    private bool _isFirstLayer = true;
    private DirectoryHandle? _parent;
    private byte[] _parentPath = [];
    private long _entries, _bytes, _skippedDevices, _skippedAttributes;

    /// <summary>Opens the directory, which must exist.</summary>
    public LayerExtractor(string directory, ExtractionOptions options)
    {
        _root = DirectoryHandle.Open(directory);
        _options = options;
        _privileged = options.Privileged ?? DirectoryHandle.CallerIsRoot;
    }

    /// <summary>What all layers so far came to.</summary>
    public ExtractionReport Report => new(_entries, _bytes, _skippedDevices, _skippedAttributes, _privileged);

    /// <summary>Unpacks one layer over what is there.</summary>
    /// <exception cref="MalformedDataException">The archive is damaged, tries to leave the directory, or exceeds a limit.</exception>
    /// <exception cref="OperationFailedException">The file system failed.</exception>
    public void Extract(TarReader archive, CancellationToken cancellationToken)
    {
        _created = _isFirstLayer ? null : [];
        if (_isFirstLayer)
            SetTimeLater([], 0, 0);
        while (archive.Next() is { } entry)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Account(entry);
            try
            {
                Apply(entry, LayerPath.Parse(entry.Path, _options.Limits.MaxDepth), archive);
            }
            catch (FileOperationException e)
            {
                throw new OperationFailedException("unpack layer", entry.DisplayPath, $"{e.Step}: {e.Reason}", e.Hint, inner: e);
            }
        }

        SetDirectoryTimes();
        CloseParent();
        _isFirstLayer = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseParent();
        _root.Dispose();
    }

    private void Account(TarEntry entry)
    {
        _bytes += entry.Size;
        if (++_entries > _options.Limits.MaxEntries)
            throw new MalformedDataException("layer", -1, $"more than {_options.Limits.MaxEntries} entries");
        if (_bytes > _options.Limits.MaxContentBytes)
            throw new MalformedDataException("layer", -1, $"the files come to more than {_options.Limits.MaxContentBytes} bytes");
    }

    private void Apply(TarEntry entry, LayerPath path, TarReader archive)
    {
        if (path.IsRoot)
        {
            if (entry.Kind != TarEntryKind.Directory)
                throw new MalformedDataException("layer", -1, "the root is no directory");
            SetMetadata(_root, "."u8, entry);
            SetTimeLater([], entry.ModifiedSeconds, entry.ModifiedNanoseconds);
            return;
        }

        if (path.Name.StartsWith(s_whiteoutPrefix))
        {
            ApplyWhiteout(path);
            return;
        }

        var parent = OpenParent(path);
        Create(parent, path, entry, archive);
        _created?.Add(Key(path.Clean));
    }

    private void Create(DirectoryHandle parent, LayerPath path, TarEntry entry, TarReader archive)
    {
        switch (entry.Kind)
        {
            case TarEntryKind.File:
                CreateFile(parent, path, entry, archive);
                break;
            case TarEntryKind.Directory:
                CreateDirectory(parent, path, entry);
                break;
            case TarEntryKind.SymbolicLink:
                Clear(parent, path);
                parent.MakeSymbolicLink(path.Name, entry.LinkTarget);
                SetMetadata(parent, path.Name, entry);
                break;
            case TarEntryKind.HardLink:
                CreateHardLink(parent, path, entry);
                break;
            default:
                CreateNode(parent, path, entry);
                break;
        }
    }

    private void CreateDirectory(DirectoryHandle parent, LayerPath path, TarEntry entry)
    {
        if (!parent.MakeDirectory(path.Name, 0x1C0 /* 0700 */) && parent.Status(path.Name)?.Kind != FileKind.Directory)
        {
            Clear(parent, path);
            parent.MakeDirectory(path.Name, 0x1C0);
        }

        SetMetadata(parent, path.Name, entry);
        SetTimeLater(path.Clean, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
    }

    private void CreateHardLink(DirectoryHandle parent, LayerPath path, TarEntry entry)
    {
        var target = LayerPath.Parse(entry.LinkTarget, _options.Limits.MaxDepth);
        if (target.IsRoot)
            throw new MalformedDataException("layer", -1, $"'{entry.DisplayPath}' is a hard link to the root");
        using var from = _root.OpenInRoot(target.Parent)
            ?? throw new MalformedDataException("layer", -1, $"'{entry.DisplayPath}' is a hard link to something that does not exist");
        if (from.Status(target.Name) is not { } status || status.Kind == FileKind.Directory)
            throw new MalformedDataException("layer", -1, $"'{entry.DisplayPath}' is a hard link to something that does not exist or is a directory");
        // A link to itself must not remove what it links to.
        if (parent.Status(path.Name) is { } present && present.Inode == status.Inode && present.Device == status.Device)
            return;
        Clear(parent, path);
        parent.MakeHardLink(path.Name, from, target.Name);
    }

    private void CreateNode(DirectoryHandle parent, LayerPath path, TarEntry entry)
    {
        if (!_privileged && entry.Kind != TarEntryKind.Pipe)
        {
            _skippedDevices++;
            return;
        }

        // Overlayfs would take such a node for a whiteout, and an image must not bring its own.
        if (entry is { Kind: TarEntryKind.CharacterDevice, DeviceMajor: 0, DeviceMinor: 0 })
            throw new MalformedDataException("layer", -1, $"'{entry.DisplayPath}' is a character device 0/0, which overlayfs takes for a whiteout");
        Clear(parent, path);
        var kind = entry.Kind switch
        {
            TarEntryKind.CharacterDevice => FileKind.CharacterDevice,
            TarEntryKind.BlockDevice => FileKind.BlockDevice,
            _ => FileKind.Pipe,
        };
        parent.MakeNode(path.Name, kind, 0x180 /* 0600 */, entry.DeviceMajor, entry.DeviceMinor);
        SetMetadata(parent, path.Name, entry);
    }

    // Owner first: changing it clears set-user-id bits and security.capability.
    private void SetMetadata(DirectoryHandle parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        if (_privileged)
            parent.SetOwner(name, entry.User, entry.Group);
        if (entry.Kind != TarEntryKind.SymbolicLink)
            parent.SetPermissions(name, entry.Permissions);
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (!MayBeSet(attribute) || !parent.TrySetAttribute(name, attribute, value))
                _skippedAttributes++;
        }

        if (entry.Kind != TarEntryKind.Directory)
            parent.SetModified(name, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
    }

    // Not "trusted." (overlayfs keeps its redirections there) and not "security.selinux" (the host's policy).
    private static bool MayBeSet(ReadOnlySpan<byte> attribute) =>
        attribute.StartsWith("user."u8) || attribute.SequenceEqual("security.capability"u8)
        || attribute.SequenceEqual("system.posix_acl_access"u8) || attribute.SequenceEqual("system.posix_acl_default"u8);

    private void SetTimeLater(byte[] path, long seconds, uint nanoseconds) => _directoryTimes[Key(path)] = (path, seconds, nanoseconds);

    // A directory that a layer changes but does not list keeps its time, and one that no layer lists has the epoch's: the
    // same image always gives the same tree.
    private void KeepTime(byte[] path, DirectoryHandle directory)
    {
        if (!_directoryTimes.ContainsKey(Key(path)) && directory.Status("."u8) is { } status)
            SetTimeLater(path, status.ModifiedSeconds, status.ModifiedNanoseconds);
    }

    // Children change the time of their directory, so directories get theirs last.
    private void SetDirectoryTimes()
    {
        foreach (var (path, seconds, nanoseconds) in _directoryTimes.Values)
        {
            using var directory = _root.OpenInRoot(path);
            directory?.SetModified("."u8, seconds, nanoseconds);
        }

        _directoryTimes.Clear();
    }

    private DirectoryHandle OpenParent(LayerPath path)
    {
        if (_parent is not null && path.Parent.SequenceEqual(_parentPath))
            return _parent;
        CloseParent();
        _parentPath = path.Parent.ToArray();
        MarkParents(_parentPath);
        _parent = _root.OpenInRoot(_parentPath) ?? CreateParents(_parentPath);
        KeepTime(_parentPath, _parent);
        return _parent;
    }

    // A layer that brings a/b has a as well, whether or not it lists it: a whiteout of a then hides only older things in a.
    private void MarkParents(ReadOnlySpan<byte> path)
    {
        for (var end = path.Length; _created is not null && end > 0; end = path[..end].LastIndexOf((byte)'/'))
            _created.Add(Key(path[..end]));
    }

    // An archive may leave out directories. Each step is resolved from the root again, so links on the way stay inside.
    private DirectoryHandle CreateParents(ReadOnlySpan<byte> path)
    {
        for (var end = 0; end < path.Length; end++)
        {
            var next = path[end..].IndexOf((byte)'/');
            end = next < 0 ? path.Length : end + next;
            using var existing = _root.OpenInRoot(path[..end]);
            if (existing is not null)
                continue;
            var step = path[..end];
            var slash = step.LastIndexOf((byte)'/');
            using var parent = _root.OpenInRoot(step[..Math.Max(0, slash)])!;
            KeepTime(step[..Math.Max(0, slash)].ToArray(), parent);
            var name = step[(slash + 1)..];
            // Something that is no directory, or a link to nowhere, is in the way.
            parent.Unlink(name);
            parent.MakeDirectory(name, 0x1ED /* 0755 */);
            SetTimeLater(step.ToArray(), 0, 0);
        }

        return _root.OpenInRoot(path) ?? throw new MalformedDataException(
            "layer", -1, $"the directory '{Encoding.UTF8.GetString(path)}' cannot be made");
    }

    // Removes what is in the way. The handle of the last parent may point into it.
    private static void Clear(DirectoryHandle parent, LayerPath path) => parent.RemoveTree(path.Name);

    private void CloseParent()
    {
        _parent?.Dispose();
        _parent = null;
    }

    // Which paths this layer made: a truncated hash takes a tenth of the memory of the names.
    private static UInt128 Key(ReadOnlySpan<byte> path)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(path, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
