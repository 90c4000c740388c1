using Kist.Formats;

namespace Kist.Host.Tests;

public sealed class ContainerStoreTests : IDisposable
{
    private readonly TemporaryState _temporary = new();

    private ContainerStore Store => new(_temporary.State, TimeProvider.System);

    public void Dispose() => _temporary.Dispose();

    private static ContainerRecord Template(string name, bool autoRemove = false) => new()
    {
        Id = "",
        Name = name,
        Image = "127.0.0.1:5000/demo:latest",
        Created = default,
        AutoRemove = autoRemove,
    };

    [Fact]
    public void Create_ThenFind_ByNameIdAndPrefix()
    {
        var made = Store.Create(Template("one"));
        Store.Create(Template("two"));
        Assert.Equal(64, made.Record.Id.Length);
        Assert.Equal(made.Record.Id, Store.Find("one").Record.Id);
        Assert.Equal("one", Store.Find(made.Record.Id).Record.Name);
        Assert.Equal("one", Store.Find(made.Record.ShortId).Record.Name);
    }

    [Fact]
    public void Create_NameInUse_NamesTheRemedy()
    {
        Store.Create(Template("one"));
        var error = Assert.Throws<OperationFailedException>(() => Store.Create(Template("one")));
        Assert.Contains("kist rm one", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_UnknownOrEmpty_Fails()
    {
        Store.Create(Template("one"));
        Assert.Throws<OperationFailedException>(() => Store.Find("three"));
        Assert.Throws<OperationFailedException>(() => Store.Find(""));
    }

    [Fact]
    public void Reconcile_SupervisorGone_MarksLostOrRemoves()
    {
        var kept = Store.Create(Template("kept"));
        Store.Create(Template("removed", autoRemove: true));
        Store.Reconcile();
        Assert.True(kept.Reload());
        Assert.Equal(ContainerStatus.Failed, kept.Record.Status);
        Assert.Contains("supervisor", kept.Record.Error, StringComparison.Ordinal);
        Assert.Equal(["kept"], Store.All().Select(c => c.Record.Name));
    }

    [Fact]
    public void Reconcile_SupervisorAlive_LeavesIt()
    {
        var folder = Store.Create(Template("alive", autoRemove: true));
        using (folder.Supervise())
        {
            Store.Reconcile();
            Assert.True(folder.IsSupervised());
            Assert.True(folder.Reload());
        }

        Assert.False(folder.IsSupervised());
    }

    [Fact]
    public void All_BrokenRecord_IsPassedOver()
    {
        Store.Create(Template("good"));
        var broken = Directory.CreateDirectory(Path.Combine(_temporary.State.Containers, "broken"));
        File.WriteAllText(Path.Combine(broken.FullName, "record.json"), "{");
        Assert.Equal(["good"], Store.All().Select(c => c.Record.Name));
    }

    [Fact]
    public void Open_ReadableByOthers_IsRefused()
    {
        File.SetUnixFileMode(_temporary.State.Root, (UnixFileMode)0b111_101_101);
        Assert.Throws<OperationFailedException>(() => StateDirectory.Open(_temporary.State.Root));
    }

    [Theory]
    [InlineData("web-1", true)]
    [InlineData("", false)]
    [InlineData("-x", false)]
    [InlineData("a/b", false)]
    [InlineData("latest\n", false)]
    [InlineData("é", false)]
    public void ContainerName_Grammar(string name, bool valid) => Assert.Equal(valid, ContainerName.IsValid(name));

    [Fact]
    public void ContainerName_Random_IsValid() => Assert.True(ContainerName.IsValid(ContainerName.Random()));
}
