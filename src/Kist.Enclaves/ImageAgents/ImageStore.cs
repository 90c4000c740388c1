using Kist.Enclaves.Manifests;
using Kist.Enclaves.SealedRoots;
using Kist.Enclaves.Sealing;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Files;
using Kist.Oci;

namespace Kist.Enclaves.ImageAgents;

/// <summary>
/// A pod's images at rest on the host: DIGEST.root under a key of its own, and DIGEST.key, that key sealed for this very
/// agent (policy MRENCLAVE), so that an agent that was started again need not fetch the image again.
/// </summary>
sealed class ImageStore(DirectoryRoot directory, EnclaveSelf self)
{
    private const uint OwnerOnly = 0x180; // 0600
    private const int MaxKeyBytes = 4096;

    /// <summary>The key of an image; null if it is not here, or what is here is not this agent's.</summary>
    public SecretBytes? FindKey(Digest image)
    {
        try
        {
            using var file = directory.OpenRead($"{image.Hex}.key");
            var length = RandomAccess.GetLength(file);
            if (length is 0 or > MaxKeyBytes)
                return null;
            var blob = new byte[length];
            RandomAccess.Read(file, blob, 0);
            using var root = directory.OpenRead($"{image.Hex}.root");
            return SealedBlob.Unseal(blob, Label(image), self.Platform.Key);
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException)
        {
            return null;
        }
    }

    /// <summary>Seals a tree as an image's root.</summary>
    public void Add(Digest image, string tree)
    {
        using var key = SecretBytes.Random(SealedRootFormat.KeySize);
        Write($"{image.Hex}.root", target => SealedRootWriter.Write(target, key.Span, Convert.FromHexString(image.Hex), tree, RootTree.Read(tree)));
        var sealedKey = SealedBlob.Seal(key.Span, Label(image), self.Secs, KeyPolicy.MrEnclave, self.Platform.Key);
        Write($"{image.Hex}.key", target => target.Write(sealedKey));
    }

    private static byte[] Label(Digest image) => System.Text.Encoding.ASCII.GetBytes($"kist image {image}");

    private void Write(string name, Action<Stream> write)
    {
        directory.RemoveFile(name);
        using var target = new FileStream(directory.CreateFile(name, OwnerOnly), FileAccess.Write, bufferSize: 0);
        write(target);
    }
}
