using System.Text;
using Kist.Formats;
using Kist.Linux.Files;

namespace Kist.Oci;

// Whiteouts, OCI image specification 1.1, layer.md, "Whiteouts": they hide what lower layers have, never what the same
// layer brings, in whichever order the two stand in the archive.
public sealed partial class LayerExtractor
{
    private void ApplyWhiteout(LayerPath path)
    {
        var name = path.Name[s_whiteoutPrefix.Length..];
        if (name.SequenceEqual(".wh..opq"u8))
        {
            ApplyOpaque(path.Parent);
            return;
        }

        // Other names of AUFS itself (.wh..wh.plnk, .wh..wh.aufs) mean nothing here.
        if (name.StartsWith(".wh."u8))
            return;
        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw new MalformedDataException("layer", -1, $"'{Encoding.UTF8.GetString(path.Clean)}' is no whiteout of anything");
        byte[] hidden = path.Parent.IsEmpty ? name.ToArray() : [.. path.Parent, (byte)'/', .. name];
        if (_options.Whiteouts == WhiteoutMode.Overlay)
            MakeOverlayWhiteout(path, name, hidden);
        else if (!_isFirstLayer)
            RemoveLower(path.Parent, name, hidden);
    }

    private void ApplyOpaque(ReadOnlySpan<byte> directory)
    {
        if (_options.Whiteouts == WhiteoutMode.Overlay)
        {
            using var handle = _root.OpenInRoot(directory) ?? CreateParents(directory);
            if (!handle.TrySetAttribute("."u8, "trusted.overlay.opaque"u8, "y"u8))
                throw new OperationFailedException("unpack layer", Encoding.UTF8.GetString(directory), "an opaque directory cannot be marked", "run as root on a file system with trusted attributes");
            return;
        }

        if (_isFirstLayer)
            return;
        CloseParent();
        using var lower = _root.OpenInRoot(directory);
        if (lower is null)
            return;
        KeepTime(directory.ToArray(), lower);
        RemoveLowerContents(lower, directory.ToArray(), 0);
    }

    // Removes what this layer did not make; a directory that it made may hold older things.
    private void RemoveLowerContents(DirectoryHandle directory, byte[] path, int depth)
    {
        if (depth > DirectoryHandle.MaxDepth)
            throw new MalformedDataException("layer", -1, "directories are too deep");
        foreach (var name in directory.Names())
        {
            byte[] child = path.Length == 0 ? name : [.. path, (byte)'/', .. name];
            if (!_created!.Contains(Key(child)))
            {
                directory.RemoveTree(name);
            }
            else if (directory.Status(name)?.Kind == FileKind.Directory)
            {
                using var inner = directory.OpenChild(name);
                RemoveLowerContents(inner, child, depth + 1);
            }
        }
    }

    private void RemoveLower(ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name, byte[] hidden)
    {
        CloseParent();
        using var parent = _root.OpenInRoot(parentPath);
        if (parent is null)
            return;
        KeepTime(parentPath.ToArray(), parent);
        if (!_created!.Contains(Key(hidden)))
        {
            parent.RemoveTree(name);
        }
        else if (parent.Status(name)?.Kind == FileKind.Directory)
        {
            using var inner = parent.OpenChild(name);
            RemoveLowerContents(inner, hidden, 0);
        }
    }

    private void MakeOverlayWhiteout(LayerPath path, ReadOnlySpan<byte> name, byte[] hidden)
    {
        var parent = OpenParent(path);
        if (parent.Status(name) is not null)
            return;
        parent.MakeNode(name, FileKind.CharacterDevice, 0, 0, 0);
        _created?.Add(Key(hidden));
    }
}
