using Kist.Formats;
using Kist.KeyBroker.Storage;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>Changes that are committed together are still each all or nothing, and nobody is told before the commit.</summary>
public sealed class GroupCommitTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly SqliteDatabase _database;

    public GroupCommitTests()
    {
        _database = new SqliteDatabase(_folder["x.db"], false);
        _database.Write(c => c.Execute("CREATE TABLE t (x BIGINT UNIQUE)"));
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeSpan Patience => TimeSpan.FromSeconds(60);

    private List<long> Rows() => _database.Read(c => c.Query("SELECT x FROM t ORDER BY x", r => r.GetInt64(0)));

    private Task<long> InsertAsync(long x, bool fails = false) => _database.WriteAsync(c =>
    {
        c.Execute("INSERT INTO t (x) VALUES (@x)", ("@x", x));
        return fails ? throw new FormatException() : c.Scalar<long>("SELECT COUNT(*) FROM t");
    });

    [Fact]
    public async Task WriteAsync_OneOfManyThatFails_FailsAlone()
    {
        var changes = Enumerable.Range(0, 300).Select(i => (Number: i, Task: InsertAsync(i, fails: i % 7 == 3))).ToList();
        foreach (var (number, task) in changes)
        {
            if (number % 7 == 3)
                await Assert.ThrowsAsync<FormatException>(() => task.WaitAsync(Patience, Token));
            else
                await task.WaitAsync(Patience, Token);
        }

        Assert.Equal(Enumerable.Range(0, 300).Where(i => i % 7 != 3).Select(i => (long)i), Rows());
    }

    [Fact]
    public async Task WriteAsync_ConstraintViolated_FailsAlone()
    {
        var tasks = new[] { InsertAsync(1), InsertAsync(1), InsertAsync(2) };
        await tasks[0].WaitAsync(Patience, Token);
        await Assert.ThrowsAnyAsync<Exception>(() => tasks[1].WaitAsync(Patience, Token));
        await tasks[2].WaitAsync(Patience, Token);
        Assert.Equal([1, 2], Rows());
    }

    [Fact]
    public async Task WriteAsync_Ended_IsSeenByOtherConnections()
    {
        using var other = new SqliteDatabase(_folder["x.db"], false);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await InsertAsync(i);
            Assert.Equal(1, other.Read(c => c.Scalar<long>("SELECT COUNT(*) FROM t WHERE x = @x", ("@x", (long)i))));
        })).WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task WriteAsync_TransactionLost_AllOfItFail()
    {
        // As a full disk does: the transaction is gone, with what others had put into it.
        var lost = _database.WriteAsync(c =>
        {
            c.Execute("INSERT INTO t (x) VALUES (9)");
            return c.Execute("ROLLBACK");
        });
        await Assert.ThrowsAsync<OperationFailedException>(() => lost.WaitAsync(Patience, Token));
        await InsertAsync(10).WaitAsync(Patience, Token);
        Assert.Equal([10], Rows());
    }

    [Fact]
    public async Task WriteAsync_WithinAWrite_JoinsIt()
    {
        Assert.Throws<FormatException>(() => _database.Write(() =>
        {
            Assert.True(InsertAsync(1).IsCompletedSuccessfully);
            throw new FormatException();
        }));
        await InsertAsync(2).WaitAsync(Patience, Token);
        Assert.Equal([2], Rows());
    }

    [Fact]
    public async Task Reads_WithinChange_SeeIt()
    {
        var seen = await _database.WriteAsync(c =>
        {
            c.Execute("INSERT INTO t (x) VALUES (5)");
            return Rows().Count;
        }).WaitAsync(Patience, Token);
        Assert.Equal(1, seen);
    }

    [Fact]
    public void ReadTogether_SeesOneState()
    {
        using var other = new SqliteDatabase(_folder["x.db"], false);
        var (before, after) = _database.ReadTogether(() =>
        {
            var first = Rows().Count;
            other.Write(c => c.Execute("INSERT INTO t (x) VALUES (1)"));
            return (first, Rows().Count);
        });
        Assert.Equal((0, 0), (before, after));
        Assert.Single(Rows());
    }
}
