using System.Text;
using CsCheck;
using Kist.KeyBroker.Audit;

namespace Kist.KeyBroker.Tests;

public sealed class MerkleTreeTests
{
    // The leaves and roots that Certificate Transparency's implementations test with (RFC 6962's reference tree).
    private static readonly string[] Leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public void Root_ReferenceTree_IsReproduced()
    {
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Convert.ToHexStringLower(MerkleTree.EmptyRoot));
        var frontier = new MerkleFrontier();
        for (var i = 0; i < Leaves.Length; i++)
        {
            frontier.Add(MerkleTree.LeafHash(Convert.FromHexString(Leaves[i])));
            Assert.Equal(Roots[i], Convert.ToHexStringLower(frontier.Root()));
        }
    }

    [Fact]
    public void Proofs_EverySizeAndIndex_VerifyAndNoneElseDoes()
    {
        const int max = 40;
        var hashes = Enumerable.Range(0, max).Select(i => MerkleTree.LeafHash(Encoding.UTF8.GetBytes($"leaf {i}"))).ToArray();
        var prover = new MerkleProver((level, position) => RootOf(hashes.AsSpan((int)(position << level), 1 << level)));
        for (var size = 1; size <= max; size++)
        {
            var root = prover.Root(size);
            Assert.Equal(RootOf(hashes.AsSpan(0, size)), root);
            for (var index = 0; index < size; index++)
            {
                var proof = prover.Inclusion(index, size);
                Assert.True(MerkleTree.VerifyInclusion(hashes[index], index, size, proof, root));
                Assert.False(MerkleTree.VerifyInclusion(hashes[(index + 1) % max], index, size, proof, root));
                Assert.False(MerkleTree.VerifyInclusion(hashes[index], index, size, [.. proof, new byte[32]], root));
                if (proof.Count > 0)
                    Assert.False(MerkleTree.VerifyInclusion(hashes[index], index, size, proof[..^1], root));
            }

            for (var first = 0; first <= size; first++)
            {
                var proof = prover.Consistency(first, size);
                Assert.True(MerkleTree.VerifyConsistency(first, prover.Root(first), size, root, proof));
                if (first > 0 && first < size)
                {
                    Assert.False(MerkleTree.VerifyConsistency(first, new byte[32], size, root, proof));
                    Assert.False(MerkleTree.VerifyConsistency(first, prover.Root(first), size, new byte[32], proof));
                    Assert.False(MerkleTree.VerifyConsistency(first, prover.Root(first), size, root, [.. proof, new byte[32]]));
                    Assert.False(MerkleTree.VerifyConsistency(first, prover.Root(first), size, root, proof[..^1]));
                }
            }
        }
    }

    [Fact]
    public void VerifyInclusion_AnyBitOfTheProofFlipped_Fails()
    {
        var hashes = Enumerable.Range(0, 13).Select(i => MerkleTree.LeafHash([(byte)i])).ToArray();
        var prover = new MerkleProver((level, position) => RootOf(hashes.AsSpan((int)(position << level), 1 << level)));
        Gen.Select(Gen.Int[0, 12], Gen.Int[0, 3], Gen.Int[0, 255]).Sample((index, at, bit) =>
        {
            var proof = prover.Inclusion(index, 13);
            if (at >= proof.Count)
                return;
            proof[at] = [.. proof[at]];
            proof[at][bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(MerkleTree.VerifyInclusion(hashes[index], index, 13, proof, prover.Root(13)));
        });
    }

    // RFC 6962 section 2.1, straight from its definition.
    private static byte[] RootOf(ReadOnlySpan<byte[]> hashes)
    {
        if (hashes.Length == 0)
            return MerkleTree.EmptyRoot;
        if (hashes.Length == 1)
            return hashes[0];
        var split = 1;
        while (split * 2 < hashes.Length)
            split *= 2;
        return MerkleTree.NodeHash(RootOf(hashes[..split]), RootOf(hashes[split..]));
    }
}
