using Kist.Formats;
using Kist.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace Kist.Oci;

public sealed partial class LayerExtractor
{
    private void CreateFile(DirectoryHandle parent, LayerPath path, TarEntry entry, TarReader archive)
    {
        using var file = OpenNew(parent, path);
        if (entry.Regions is null)
            CopyDense(file, archive);
        else
            CopySparse(file, entry, archive);
        DirectoryHandle.SetMetadata(
            file, _privileged ? (entry.User, entry.Group) : null, entry.Permissions, entry.ModifiedSeconds, entry.ModifiedNanoseconds);
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (!MayBeSet(attribute) || !DirectoryHandle.TrySetAttribute(file, attribute, value))
                _skippedAttributes++;
        }
    }

    private static SafeFileHandle OpenNew(DirectoryHandle parent, LayerPath path)
    {
        try
        {
            return parent.CreateFile(path.Name, 0x180 /* 0600 */);
        }
        catch (FileOperationException e) when (e.AlreadyExists)
        {
            Clear(parent, path);
            return parent.CreateFile(path.Name, 0x180);
        }
    }

    private void CopyDense(SafeFileHandle file, TarReader archive)
    {
        for (ReadOnlySpan<byte> data; !(data = archive.ReadDataInPlace(_buffer)).IsEmpty;)
            DirectoryHandle.WriteAll(file, data);
    }

    private void CopySparse(SafeFileHandle file, TarEntry entry, TarReader archive)
    {
        try
        {
            foreach (var (offset, length) in entry.Regions!)
            {
                for (long done = 0; done < length;)
                {
                    var count = archive.ReadData(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, length - done)));
                    if (count == 0)
                        throw new MalformedDataException("layer", -1, $"the data of '{entry.DisplayPath}' ends early");
                    RandomAccess.Write(file, _buffer.AsSpan(0, count), offset + done);
                    done += count;
                }
            }

            RandomAccess.SetLength(file, entry.Size);
        }
        catch (IOException e)
        {
            throw new OperationFailedException("unpack layer", entry.DisplayPath, e.Message, inner: e);
        }
    }
}
