using System.Security.Cryptography;
using Kist.Enclaves.Manifests;
using Kist.Enclaves.SealedRoots;
using Kist.Formats;
using Kist.Linux;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Enclaves.Host;

/// <summary>
/// The enclave's root: memory of its own in which every file of the manifest exists with its name, size and owner, and
/// gets its content when it is first opened, copied from the container's root and compared with the manifest's digest.
/// The program sees the copy only, so what the host changes afterwards has no effect.
/// </summary>
sealed class VerifiedRoot : IDisposable
{
    private readonly IFileSource _source;
    private readonly DirectoryRoot _own;
    private readonly bool _isReadOnly;
    private readonly Dictionary<ulong, VerifiedFile> _files = [];
    private readonly Action<string> _log;
    private ulong _device;

    private VerifiedRoot(IFileSource source, DirectoryRoot own, bool isReadOnly, Action<string> log)
    {
        _source = source;
        _own = own;
        _isReadOnly = isReadOnly;
        _log = log;
    }

    /// <summary>Mounts the root at <paramref name="path"/> and lays out the tree, without contents.</summary>
    /// <param name="path">An empty directory.</param>
    /// <param name="source">Where contents come from; owned from now on.</param>
    /// <param name="manifest">What exists.</param>
    /// <param name="log">Is told of refused files.</param>
    public static VerifiedRoot Create(string path, IFileSource source, EnclaveManifest manifest, Action<string> log)
    {
        Mounts.Mount("kist-enclave", path, "tmpfs", MountOptions.NoSetUid | MountOptions.NoDevices, $"mode=0755,size={manifest.Limits.RootBytes}");
        var root = new VerifiedRoot(source, DirectoryRoot.Open(path), manifest.ReadOnlyRoot, log);
        root._device = FileExamination.Of(path).Device;
        root.LayOut(root._own, path, manifest);
        return root;
    }

    /// <summary>The file of the manifest that an open handle names; null for everything else.</summary>
    public VerifiedFile? Find(SafeFileHandle named)
    {
        var status = FileExamination.Of(named);
        return status.Device == _device && _files.TryGetValue(status.Inode, out var file) ? file : null;
    }

    /// <summary>Brings a file's content in unless it is there. False if it is not what the manifest says.</summary>
    /// <param name="file">The file.</param>
    /// <param name="named">The enclave's file as the program names it; it may have another path by now.</param>
    /// <param name="proc">Opens it for writing.</param>
    public bool BringIn(VerifiedFile file, SafeFileHandle named, ProcDirectory proc)
    {
        lock (file.Lock)
        {
            if (file.State == VerifiedFileState.Absent)
            {
                // A read-only root is so for the programs' mount, not for the one opened first; and nothing moves in it.
                using var writable = _isReadOnly ? _own.OpenReadWrite(file.File.Path[1..]) : proc.OpenReadWrite(named);
                file.State = Copy(file.File, writable) ? VerifiedFileState.Present : VerifiedFileState.Refused;
            }

            return file.State == VerifiedFileState.Present;
        }
    }

    /// <summary>Brings in a file that the host itself reads; nothing happens if the manifest has none, or has a mount there.</summary>
    public void BringIn(string path, ProcDirectory proc)
    {
        try
        {
            using var named = _own.OpenPath(path[1..]);
            if (Find(named) is { } file)
                BringIn(file, named, proc);
        }
        catch (SystemCallException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            // There is none.
        }
    }

    /// <summary>Makes a file that the manifest's user alone may read; its directories are made where they are missing.</summary>
    public void AddSecret(string path, ReadOnlySpan<byte> content, uint user, uint group)
    {
        const uint readableByOwner = 0x100, readableByAll = 0x1ed; // 0400, 0755
        var parts = path[1..].Split('/');
        for (var depth = 1; depth < parts.Length; depth++)
        {
            var (parent, name) = _own.OpenParent(string.Join('/', parts[..depth]));
            using (parent)
            {
                try
                {
                    parent.CreateDirectory(name, readableByAll);
                }
                catch (SystemCallException e) when (e.Errno == Errno.EEXIST)
                {
                    // It is the image's, or of an earlier secret.
                }
            }
        }

        var (directory, file) = _own.OpenParent(path[1..]);
        using (directory)
        {
            using (var handle = directory.CreateFile(file, readableByOwner))
                RandomAccess.Write(handle, content, 0);
            directory.SetOwner(file, user, group);
        }
    }

    public void Dispose()
    {
        _source.Dispose();
        _own.Dispose();
    }

    private void LayOut(DirectoryRoot root, string path, EnclaveManifest manifest)
    {
        DirectoryRoot? parent = null;
        string? parentPath = null;
        try
        {
            foreach (var file in manifest.Files)
            {
                if (file.Path == "/")
                    continue;
                var directory = ManifestRules.ParentOf(file.Path);
                if (directory != parentPath)
                {
                    parent?.Dispose();
                    parent = root.OpenDirectory(directory == "/" ? "." : directory[1..], followInRoot: false);
                    parentPath = directory;
                }

                Create(parent!, file);
            }
        }
        finally
        {
            parent?.Dispose();
        }

        var top = manifest.Files[0];
        FilePermissions.SetPath(path, top.Uid, top.Gid, top.Mode);
    }

    private void Create(DirectoryRoot parent, ManifestFile file)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        switch (file.Type)
        {
            case ManifestFileType.Directory:
                parent.CreateDirectory(name, 0x1c0);
                break;
            case ManifestFileType.Link:
                parent.CreateSymbolicLink(name, file.Target!);
                break;
            default:
                using (var handle = parent.CreateFile(name, 0x180))
                {
                    FilePermissions.SetLength(handle, file.Size!.Value);
                    _files.Add(FileExamination.Of(handle).Inode, new VerifiedFile(file));
                }

                break;
        }

        parent.SetOwner(name, file.Uid, file.Gid);
        if (file.Type != ManifestFileType.Link)
            parent.SetPermissions(name, file.Mode);
        if (file.Modified is { } modified)
            parent.SetModified(name, modified, 0);
    }

    private bool Copy(ManifestFile file, SafeFileHandle target)
    {
        if (file.Size == 0 && file.Sha256 == Convert.ToHexStringLower(SHA256.HashData([])))
            return true;
        try
        {
            using var source = _source.OpenRead(file);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[256 * 1024];
            long done = 0;
            for (int read; (read = source.Read(buffer)) > 0; done += read)
            {
                if (done + read > file.Size)
                    return Refuse(file, target, $"it is longer than the {file.Size} bytes of the manifest");
                hash.AppendData(buffer, 0, read);
                RandomAccess.Write(target, buffer.AsSpan(0, read), done);
            }

            var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (done != file.Size || actual != file.Sha256)
                return Refuse(file, target, $"its SHA-256 is {actual}, the manifest says {file.Sha256}");
            FilePermissions.SetModified(target, file.Modified!.Value);
            return true;
        }
        catch (Exception e) when (e is OperationFailedException or IOException or UnauthorizedAccessException)
        {
            return Refuse(file, target, e.Message);
        }
    }

    private bool Refuse(ManifestFile file, SafeFileHandle target, string reason)
    {
        FilePermissions.SetLength(target, 0);
        _log($"refused {file.Path}: {reason}");
        return false;
    }
}
