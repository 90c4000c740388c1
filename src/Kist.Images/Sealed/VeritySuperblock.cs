using System.Buffers.Binary;

namespace Kist.Images.Sealed;

/// <summary>
/// The superblock that veritysetup writes before the tree (cryptsetup, verity.h), little-endian. The kernel does not read
/// it; the sealed manifest has all it says. It is there so that veritysetup can check a blob.
/// <code>
/// offset size field               offset size field
///      0    8 "verity\0\0"           64    4 data_block_size
///      8    4 version, 1             68    4 hash_block_size
///     12    4 hash_type, 1           72    8 data_blocks
///     16   16 uuid                   80    2 salt_size
///     32   32 algorithm, "sha256"    82    6 zero
///                                    88  256 salt      344 168 zero
/// </code>
/// </summary>
static class VeritySuperblock
{
    public static byte[] Write(long dataBlocks, ReadOnlySpan<byte> salt)
    {
        var block = new byte[VerityTree.BlockSize];
        "verity\0\0"u8.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(12), 1);
        // The UUID has to differ from other blobs' and must tell nothing of the content: so it is a part of the salt.
        salt[..16].CopyTo(block.AsSpan(16));
        "sha256"u8.CopyTo(block.AsSpan(32));
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(64), VerityTree.BlockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(68), VerityTree.BlockSize);
        BinaryPrimitives.WriteInt64LittleEndian(block.AsSpan(72), dataBlocks);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(80), (ushort)salt.Length);
        salt.CopyTo(block.AsSpan(88, 256));
        return block;
    }
}
